// Package semconv says what is measured: the metrics, attributes and closed
// value sets of the video.processing namespace.
//
// Its source is registry/*.yaml, in the shape of OpenTelemetry Weaver's
// registries. To add a metric, edit the registry and run go generate.
//
// # Instruments
//
// Each metric has a type and a constructor that gives the instrument its name,
// description, unit and boundaries. A constructor with a nil meter makes a
// no-op. On an error it returns it together with an instrument that is safe to
// use and may record nothing. The zero value of a metric's type is not usable.
//
// The type of a synchronous metric embeds its OTel instrument. If it has
// attributes, its With method takes their values:
//
//	jobs, err := semconv.NewJobs(meter)
//	failed := []metric.AddOption{jobs.With(semconv.JobStatusFailed)} // kept
//	jobs.Add(ctx, 1, failed...)                                      // no allocation
//
// The type of an observable metric is an alias of its OTel instrument, because
// the Meter and the Observer of an SDK take only what the SDK itself has made,
// nothing that wraps it:
//
//	running, err := semconv.NewJobsInProgress(meter)
//	reg, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
//		o.ObserveInt64(running, n.Load())
//		return nil
//	}, running)
//
// # Data
//
// [Metrics] lists all metrics, for tests, documents and generators.
//
// The package imports the OTel API alone.
package semconv

//go:generate go run ../internal/gen -root ..
