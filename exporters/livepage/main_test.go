package livepage

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// TestMain checks that no goroutine outlives the tests, which end everything that they start.
func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "OTEL_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// newPipeline returns a pipeline that traces nothing.
func newPipeline(t testing.TB, opts ...instrument.Option) *instrument.Pipeline {
	t.Helper()
	p, _ := instrumenttest.New(t, opts...)
	return p
}

// mustNew returns the page of a pipeline.
func mustNew(t testing.TB, p *instrument.Pipeline, opts ...Option) *Page {
	t.Helper()
	page, err := New(nil, p, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// startTelemetry starts telemetry with a server on a free port, and shuts it down at the end.
func startTelemetry(t testing.TB, opts ...exporters.Option) *exporters.Telemetry {
	t.Helper()
	tel, err := exporters.Start(t.Context(), append([]exporters.Option{exporters.WithPrometheusAddr("127.0.0.1:0"), exporters.WithoutGlobals()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutDown(tel) })
	return tel
}

func shutDown(tel *exporters.Telemetry) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = tel.Shutdown(ctx)
}
