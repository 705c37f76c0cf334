package exporters

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// With the pace of a program, not of the tests: soon after the receiver is back it has everything
// that was counted while it was away.
func TestDataFlowsSoonAfterAnOutage(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000") // that a push is tried for
	r := receive(t)
	tel, err := Start(t.Context(), WithoutGlobals(), WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger((&exportertest.LogBook{}).Logger()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(tel) })
	eventually(t, "the first push", func() bool { return r.sum(exportFailures) == 0 })
	r.down()
	count(tel, "jobs", 10)
	if err := tel.ForceFlush(t.Context()); err == nil {
		t.Fatal("ForceFlush: no error while the receiver is down")
	}
	before := tel.metrics.failures.Mark()
	eventually(t, "two pushes fail on their own", func() bool { return tel.metrics.failures.Mark() >= before+2 })
	r.up(t)
	eventually(t, "what was counted while the receiver was away", func() bool { return r.sum("jobs") == 10 })
}

func TestCardinalityLimit(t *testing.T) {
	for _, tt := range []struct {
		opts     []Option
		overflow bool
	}{{nil, true}, {[]Option{WithCardinalityLimit(3000)}, false}} {
		tel := start(t, append(tt.opts, WithPrometheusAddr("127.0.0.1:0"))...)
		c, err := tel.MeterProvider().Meter("test").Int64Counter("jobs")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2500 {
			c.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("i", i)))
		}
		if got := strings.Contains(scraped(t, tel, "text/plain"), `otel_metric_overflow="true"`); got != tt.overflow {
			t.Errorf("overflow = %v of 2,500 series, want %v", got, tt.overflow)
		}
	}
}
