// Package semconv names what is measured: the metrics and attributes of the video.processing namespace, and the values of
// the attributes that have a closed set of them.
//
// Import it to read or extend what stagemeter records: a view of the OpenTelemetry SDK selects a metric by its name, a
// test asks for a series by its attributes, and your own instrument carries the same attributes as ours.
//
//	sdkmetric.NewView(
//		sdkmetric.Instrument{Name: semconv.DurationName},
//		sdkmetric.Stream{AttributeFilter: attribute.NewDenyKeysFilter(semconv.AttrStage)},
//	)
//
// For each closed set there is a type, such as [JobStatus]. Its method Attr returns the attribute with that value, and
// a function such as [JobStatusValues] returns all values.
//
// The package has no constructors, because package instrument records these metrics. A second instrument with the same
// name would count twice.
//
// Its source is registry/*.yaml, in the shape of OpenTelemetry Weaver's registries, which also has the units, the
// Prometheus names and the boundaries of the histograms; docs/metrics.md shows them all. To add a metric, edit the
// registry and run make generate.
//
// The package imports only the OpenTelemetry API.
package semconv

//go:generate go run ../internal/gen -root ..
//go:generate go run ../monitoring -root ..
