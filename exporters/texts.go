package exporters

import (
	"strings"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// validTexts mends, in what views make of instruments, texts that are not UTF-8.
// For one description OTLP would refuse every batch, and Prometheus every scrape.
func validTexts(views []sdkmetric.View) []sdkmetric.View {
	all := make([]sdkmetric.View, 0, len(views))
	for _, v := range views {
		all = append(all, func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
			s, ok := v(i)
			for _, text := range []*string{&s.Name, &s.Description, &s.Unit} {
				*text = strings.ToValidUTF8(*text, "\uFFFD")
			}
			return s, ok
		})
	}
	return all
}
