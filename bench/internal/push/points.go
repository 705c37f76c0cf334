package push

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/stagemeter/stagemeter/bench/internal/page"
)

// points reads requests, and returns the values of the points of the workload by their names and attributes, and how
// many exemplars there are.
func points(requests [][]byte) (page.Page, error) {
	p := page.Page{Samples: make(map[string]float64)}
	for _, body := range requests {
		var req colmetrics.ExportMetricsServiceRequest
		if err := proto.Unmarshal(body, &req); err != nil {
			return p, fmt.Errorf("push: a request is not OTLP: %w", err)
		}
		for _, rm := range req.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					if strings.HasPrefix(m.Name, "bench.") {
						add(&p, m)
					}
				}
			}
		}
	}
	return p, nil
}

func add(p *page.Page, m *metricspb.Metric) {
	for _, dp := range m.GetSum().GetDataPoints() {
		p.Samples[m.Name+key(dp.Attributes)] = dp.GetAsDouble() + float64(dp.GetAsInt())
		p.Exemplars += len(dp.Exemplars)
	}
	for _, dp := range m.GetHistogram().GetDataPoints() {
		k := key(dp.Attributes)
		p.Samples[m.Name+"_count"+k] = float64(dp.Count)
		p.Samples[m.Name+"_sum"+k] = dp.GetSum()
		for i, n := range dp.BucketCounts {
			bound := "+Inf"
			if i < len(dp.ExplicitBounds) {
				bound = strconv.FormatFloat(dp.ExplicitBounds[i], 'g', -1, 64)
			}
			p.Samples[m.Name+"_bucket"+strings.TrimSuffix(k, "}")+",le="+strconv.Quote(bound)+"}"] = float64(n)
		}
		p.Exemplars += len(dp.Exemplars)
	}
}

func key(attrs []*commonpb.KeyValue) string {
	pairs := make([]string, len(attrs))
	for i, kv := range attrs {
		pairs[i] = kv.Key + "=" + strconv.Quote(kv.Value.GetStringValue())
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, ",") + "}"
}
