package semconv_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

// A view drops an attribute of a metric: the durations of all stages become one histogram.
func Example() {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(reader),
		sdkmetric.WithView(sdkmetric.NewView(
			sdkmetric.Instrument{Name: semconv.DurationName},
			sdkmetric.Stream{AttributeFilter: attribute.NewDenyKeysFilter(semconv.AttrStage)},
		)),
	)
	p, err := instrument.New(instrument.WithMeterProvider(provider))
	if err != nil {
		fmt.Println(err)
	}
	ctx := instrument.ContextWithPipeline(context.Background(), p)
	for _, stage := range []string{"analysis", "rendering"} {
		_, s := instrument.StartStage(ctx, stage)
		s.End(nil)
	}

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &collected); err != nil {
		fmt.Println(err)
	}
	for _, m := range collected.ScopeMetrics[0].Metrics {
		if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == semconv.DurationName {
			fmt.Println(len(h.DataPoints), "series of", h.DataPoints[0].Count, "stages")
		}
	}
	// Output: 1 series of 2 stages
}
