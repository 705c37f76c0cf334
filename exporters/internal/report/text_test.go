package report

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// Join keeps one of identical errors, also of joined ones, and everything else.
func TestJoin(t *testing.T) {
	late, wrapped := context.DeadlineExceeded, fmt.Errorf("metrics not delivered: %w", context.DeadlineExceeded)
	port := errors.New("port")
	for _, tt := range []struct {
		reason string
		errs   []error
		want   string
	}{
		{"nothing", nil, ""},
		{"no error", []error{nil, nil}, ""},
		{"one", []error{nil, port}, "port"},
		{"the same", []error{late, port, late}, "context deadline exceeded\nport"},
		{"the same, joined twice", []error{errors.Join(late, errors.Join(port, late)), late}, "context deadline exceeded\nport"},
		{"wrapped with a text", []error{wrapped, late, wrapped}, "metrics not delivered: context deadline exceeded\ncontext deadline exceeded"},
		{"a text around two", []error{fmt.Errorf("a: %w, %w", late, port), late}, "a: context deadline exceeded, port\ncontext deadline exceeded"},
	} {
		err := Join(tt.errs...)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
		for _, e := range tt.errs {
			if errors.Is(e, late) && !errors.Is(err, late) {
				t.Errorf("%s: no longer matches %v", tt.reason, late)
			}
		}
	}
}
