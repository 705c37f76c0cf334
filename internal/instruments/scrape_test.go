package instruments

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// The instruments are what the registry says, all the way to a scrape. The registry's own test holds its names against
// those that users have on their dashboards.
func TestScrapeAgreesWithTheRegistry(t *testing.T) {
	families := scrape(t)
	units := collectedUnits(t)
	known := map[string]bool{"target_info": true} // of the exporter, not of the registry
	for _, m := range registry.Metrics() {
		known[m.Prometheus] = true
		t.Run(m.Name, func(t *testing.T) {
			family, ok := families[m.Prometheus]
			if !ok {
				t.Fatalf("%s is not on the scrape", m.Prometheus)
			}
			if have := family.GetType(); have != prometheusType(t, m.Kind) {
				t.Errorf("type %s, want that of a %s", have, m.Kind)
			}
			if family.GetHelp() != m.Brief {
				t.Errorf("HELP %q, want %q", family.GetHelp(), m.Brief)
			}
			if unit := units[m.Name]; unit != m.Unit {
				t.Errorf("unit %q, want %q", unit, m.Unit)
			}
			labels := m.Labels()
			for _, series := range family.GetMetric() {
				if have := labelNames(series); !slices.Equal(have, labels) {
					t.Errorf("labels %q, want %q", have, labels)
				}
				if m.Kind == registry.KindHistogram {
					checkBounds(t, series.GetHistogram(), m.Buckets)
				}
			}
			if have, want := len(family.GetMetric()), len(combinations(m)); have != want {
				t.Errorf("%d series, want %d", have, want)
			}
		})
	}
	for name := range families {
		if !known[name] {
			t.Errorf("%s is on the scrape and not in the registry", name)
		}
	}
}

func prometheusType(t *testing.T, k registry.Kind) dto.MetricType {
	t.Helper()
	switch k.PrometheusType() {
	case "counter":
		return dto.MetricType_COUNTER
	case "gauge":
		return dto.MetricType_GAUGE
	case "histogram":
		return dto.MetricType_HISTOGRAM
	}
	t.Fatalf("%s has the type %q", k, k.PrometheusType())
	return 0
}

func checkBounds(t *testing.T, h *dto.Histogram, want []float64) {
	t.Helper()
	var have []float64
	for _, b := range h.GetBucket() {
		have = append(have, b.GetUpperBound())
	}
	// The text format ends with le="+Inf".
	if len(have) == 0 || !slices.Equal(have[:len(have)-1], want) {
		t.Errorf("boundaries %v, want %v and +Inf", have, want)
	}
}

// labelNames returns the names of a series' labels, sorted.
func labelNames(series *dto.Metric) []string {
	var names []string
	for _, l := range series.GetLabel() {
		names = append(names, l.GetName())
	}
	slices.Sort(names)
	return names
}

// scrape records every metric once through the SDK and the exporter that users
// run, and returns what a scrape over HTTP shows.
func scrape(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	t.Cleanup(func() {
		if err := provider.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	meter := provider.Meter("instruments_test")
	recordAll(t, meter)

	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("scrape: %s", response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// collectedUnits returns the units that the SDK has collected, by OpenTelemetry name.
func collectedUnits(t *testing.T) map[string]string {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	recordAll(t, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("instruments_test"))
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	units := make(map[string]string)
	for _, m := range collected.ScopeMetrics[0].Metrics {
		units[m.Name] = m.Unit
	}
	return units
}
