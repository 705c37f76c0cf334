package exporters

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// earlyProvider is set by an init function that runs before any Start, in the child of one test.
var earlyProvider *sdkmetric.MeterProvider

func init() {
	if os.Getenv(envChild) == "globals: an init function has set one" {
		earlyProvider = sdkmetric.NewMeterProvider()
		otel.SetMeterProvider(earlyProvider)
	}
	for name, run := range globalsTests {
		children["globals: "+name] = func() {
			if err := run(); err != nil {
				fmt.Println(err)
			}
			fmt.Println("done")
		}
	}
	children["start with WithGlobals"] = func() {
		tel, err := Start(context.Background(), WithGlobals(), WithoutServer())
		fmt.Println(err)
		shutdown(tel)
	}
}

// TestGlobals runs each of globalsTests in a process of its own: package otel delegates only once,
// and has no way back.
func TestGlobals(t *testing.T) {
	for name := range globalsTests {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), envChild+"=globals: "+name)
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "done\n" {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// Values are compared without a panic.
func TestSame(t *testing.T) {
	type uncomparable struct{ s []int }
	n, slice, m := 1, []int{1}, map[int]int{}
	for _, tt := range []struct {
		reason string
		a, b   any
		want   bool
	}{
		{"equal values", 1, 1, true},
		{"other values", 1, 2, false},
		{"other types", 1, int64(1), false},
		{"nil", nil, nil, false},
		{"nil and a value", nil, 1, false},
		{"a pointer", &n, &n, true},
		{"other pointers", &uncomparable{}, &uncomparable{}, false},
		{"a slice", slice, slice, true},
		{"an equal slice", slice, []int{1}, false},
		{"a shorter slice", slice, slice[:0], false},
		{"a map", m, m, true},
		{"other maps", m, map[int]int{}, false},
		{"uncomparable", uncomparable{slice}, uncomparable{slice}, false},
		{"comparable by its type, not by its value", struct{ v any }{slice}, struct{ v any }{slice}, false},
	} {
		if got := same(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %v", tt.reason, got)
		}
	}
}

// After WithGlobals the SDK prints nothing that Start's error says better: neither a header, which
// may hold a password, nor anything else.
func TestSDKIsSilentAtStart(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"=start with WithGlobals", "OTEL_LOG_LEVEL=none", "OTEL_EXPORTER_OTLP_HEADERS=Authorization Bearer s3cr3t",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+receive(t).url(), "OTEL_RESOURCE_ATTRIBUTES=x")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 || !bytes.Contains(out, []byte("HEADERS")) || bytes.Contains(out, []byte("s3cr3t")) {
		t.Errorf("%v; printed %q and %q", err, out, stderr.String())
	}
}
