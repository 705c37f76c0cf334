package collect

import (
	"slices"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// Views returns the views that a provider needs in place of the user's views: with this package's
// reservoirs, and with names, descriptions and units that are valid UTF-8. For one description that
// is not, Prometheus would refuse every scrape.
//
// The SDK ignores its own default view where a view matches. So the result ends with a view that
// matches every instrument that no user's view matches. The SDK calls a user's view twice for each
// instrument.
func Views(user []sdkmetric.View) []sdkmetric.View {
	all := make([]sdkmetric.View, 0, len(user)+1)
	user = slices.Clone(user)
	for i, v := range user {
		user[i] = returningView(v)
	}
	for _, v := range user {
		all = append(all, func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
			s, ok := v(i)
			return completed(s), ok
		})
	}
	return append(all, func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
		for _, v := range user {
			if _, ok := v(i); ok {
				return sdkmetric.Stream{}, false
			}
		}
		return completed(sdkmetric.Stream{Name: i.Name, Description: i.Description, Unit: i.Unit}), true
	})
}

// returningView returns v as a view that matches nothing where v panics or calls runtime.Goexit,
// which would take the goroutine that makes an instrument.
func returningView(v sdkmetric.View) sdkmetric.View {
	return func(i sdkmetric.Instrument) (s sdkmetric.Stream, ok bool) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() {
				if p := recover(); p != nil {
					otel.Handle(report.Panicked("a view", p))
				}
			}()
			s, ok = v(i)
		}()
		<-done
		return s, ok
	}
}

// completed returns s with valid texts, and with this package's reservoirs unless it selects
// others.
func completed(s sdkmetric.Stream) sdkmetric.Stream {
	if s.ExemplarReservoirProviderSelector == nil {
		s.ExemplarReservoirProviderSelector = reservoirs
	}
	for _, text := range []*string{&s.Name, &s.Description, &s.Unit} {
		*text = report.ValidUTF8(*text)
	}
	return s
}
