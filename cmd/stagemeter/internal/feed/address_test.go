package feed

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"http://localhost:9099", "http://localhost:9099/"},
		{"localhost:9099", "http://localhost:9099/"},
		{"worker-1", "http://worker-1:9099/"},
		{":9100", "http://localhost:9100/"},
		{"10.0.0.7:80/ops", "http://10.0.0.7:80/ops/"},
		{"[::1]:9099", "http://[::1]:9099/"},
		{"http://[::1]/", "http://[::1]/"},
		{"https://ops.example.com/editor", "https://ops.example.com/editor/"},
		{"HTTP://Host:9099/a%20b/", "http://Host:9099/a%20b/"},
		{" http://host:9099/#job=7 ", "http://host:9099/"},
		{"http://host:9099/ops/?x=1", "http://host:9099/ops/"},
	} {
		u, err := ParseAddress(tt.text)
		if err != nil || u.String() != tt.want {
			t.Errorf("%q is %v, %v", tt.text, u, err)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, text := range []string{"", " ", "ftp://host", "http://", "http://a b", "host:port", "http://host:99999999/%zz", "file:///etc/passwd", "\x1b[31m://x"} {
		u, err := ParseAddress(text)
		if err == nil {
			t.Errorf("%q is %v", text, u)
		} else if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%q", err)
		}
	}
}

// A password of a URL reaches no error.
func TestParseAddressHidesPasswords(t *testing.T) {
	for _, text := range []string{"http://me:secret@host:9099", "me:secret@host", "http://me:secret@host:bad", "http://me:secret#x@host/", "http://me:secret/x@host/", "secret@host", "http://me:sec/ret%zz@host", "x://me:secret@host"} {
		u, err := ParseAddress(text)
		if err == nil {
			t.Errorf("%q is %v", text, u)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "me:") {
			t.Errorf("%v", err)
		}
	}
}
