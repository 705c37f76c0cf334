// Package exporters says where telemetry goes: to Prometheus, which scrapes this process, and over
// OTLP to a collector, with the same data. The smallest program has five lines for it:
//
//	func main() {
//		ctx := context.Background()
//		tel, _ := exporters.Start(ctx)
//		defer tel.Shutdown(ctx)
//
//		ctx, stage := instrument.StartStage(ctx, "transcription")
//		instrument.Spend(ctx, "whisper", 6*instrument.Cent)
//		stage.End(nil)
//	}
//
// They serve the metrics on :9099/metrics. If OTEL_EXPORTER_OTLP_ENDPOINT is set, they also push
// metrics and spans to that receiver.
//
// Telemetry never changes the program: it does not wait for a receiver, does not panic and does not
// exit. Start returns a usable [Telemetry] even with an error, so a program logs the error and
// continues.
//
// [Start] sets the meter provider, the tracer provider and the propagator of package otel, each
// only where nobody has set one, and logs those that it left unchanged. Instruments that were made
// before Start from package otel record after it. A program with providers of its own sets them
// before Start, or calls Start with [WithoutGlobals]. [WithGlobals] replaces everything.
//
// If a callback of an observable instrument
//
//   - returns an error or calls runtime.Goexit, only its own metric is missing;
//   - panics, scrapes fail, nothing is pushed, and the log says why, as long as it panics;
//   - blocks, scrapes and pushes wait for it. So do callers that make an instrument or unregister
//     a callback: instrument.New, the first use of its Default, Pipeline.Close. Recordings do not
//     wait, and Shutdown does not wait beyond its deadline.
//
// # Settings
//
// An option wins over the environment, and the environment over the default. A value that cannot be
// used is an error of [Start] that names the option or the variable, the value and what is allowed.
// An empty variable counts as unset. Names such as otlp and always_on are accepted in any case.
//
//	OPTION                  ENVIRONMENT                              VALUES                                        DEFAULT
//	                        OTEL_SDK_DISABLED                        true: nothing is measured, pushed or served   false
//	WithLogger              OTEL_LOG_LEVEL, only the level           debug info warn error none                    slog.Default, its own level
//	WithServiceName         OTEL_SERVICE_NAME                        a name                                        unknown_service:<executable>
//	WithServiceVersion      OTEL_RESOURCE_ATTRIBUTES                 a version                                     the main module's
//	WithResourceAttributes  OTEL_RESOURCE_ATTRIBUTES                 key=value,… percent-encoded                   what is detected
//	WithGlobals,                                                                                                   package otel gets what
//	WithoutGlobals                                                                                                 nobody has set
//	WithShutdownTimeout                                              a duration                                    5s
//
//	WithPrometheusAddr,     OTEL_METRICS_EXPORTER                    comma list: prometheus otlp console none      prometheus, and otlp
//	WithoutServer,                                                                                                 if it has an endpoint
//	WithoutPrometheus,
//	WithOTLPEndpoint
//	WithPrometheusAddr      OTEL_EXPORTER_PROMETHEUS_HOST            a host or IP address                          all addresses
//	WithPrometheusAddr      OTEL_EXPORTER_PROMETHEUS_PORT            0 to 65535                                    9099
//	WithWebConfigFile                                                a file of Prometheus's exporter-toolkit       plain HTTP, open
//	WithExportInterval      OTEL_METRIC_EXPORT_INTERVAL              milliseconds                                  60000
//	                        OTEL_METRIC_EXPORT_TIMEOUT               milliseconds to collect, to push while stuck  30000
//	                        OTEL_METRICS_EXEMPLAR_FILTER             always_on always_off trace_based              trace_based
//	WithCardinalityLimit                                             series of an instrument, more than 0          2000
//	WithView                                                         views of the SDK                              the instruments' advice
//
//	WithOTLPEndpoint        OTEL_TRACES_EXPORTER                     comma list: otlp console none                 otlp if it has an endpoint
//	WithSampler             OTEL_TRACES_SAMPLER                      always_on always_off traceidratio, and        parentbased_always_on
//	                                                                 each after parentbased_
//	WithSampler             OTEL_TRACES_SAMPLER_ARG                  0 to 1, for traceidratio                      1
//	                        OTEL_BSP_MAX_QUEUE_SIZE                  spans that wait, up to 1000000                2048
//	                        OTEL_BSP_MAX_EXPORT_BATCH_SIZE           spans of one request                          512
//	                        OTEL_BSP_SCHEDULE_DELAY                  milliseconds that a span waits at most        5000
//	                        OTEL_BSP_EXPORT_TIMEOUT                  milliseconds                                  30000
//
//	WithOTLPEndpoint        OTEL_EXPORTER_OTLP_ENDPOINT            * http://host:port or https://host:port         nothing is pushed
//	                        OTEL_EXPORTER_OTLP_PROTOCOL            * grpc http/protobuf                            grpc
//	                        OTEL_EXPORTER_OTLP_INSECURE            * true false, for an endpoint without scheme    false
//	                        OTEL_EXPORTER_OTLP_HEADERS             * key=value,… percent-encoded                   none
//	                        OTEL_EXPORTER_OTLP_COMPRESSION         * gzip none                                     none
//	                        OTEL_EXPORTER_OTLP_TIMEOUT             * milliseconds of one request                   10000
//	                        OTEL_EXPORTER_OTLP_CERTIFICATE         * file in PEM: authorities to trust             the host's
//	                        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE  * file in PEM, for mTLS                         none
//	                        OTEL_EXPORTER_OTLP_CLIENT_KEY          * file in PEM, for mTLS                         none
//	                        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE         cumulative delta lowmemory   cumulative
//	                        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION  explicit_bucket_histogram    explicit_bucket_histogram
//	                                                                                  base2_exponential_bucket_histogram
//
// A variable with * also exists for each signal, and that one wins:
// OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL. An endpoint for one
// signal is used as it is; HTTP appends /v1/metrics and /v1/traces to the general one. A list with
// otlp and no endpoint pushes to localhost, port 4317, or 4318 for HTTP.
//
// The SDK itself reads OTEL_SPAN_*, the limits of spans. It also prints what is wrong with other
// variables to stderr; with [WithGlobals] it does not. It would print headers and endpoints with
// their keys and passwords: while Start runs, those that cannot be read are replaced in the
// environment by their readable parts.
//
// docs/configuration.md has recipes: protecting the scrape, receivers, shutdown.
//
// # Scrape
//
// The server answers
//
//   - /metrics: in text, OpenMetrics, which has exemplars, or protobuf, as the scraper asks;
//     compressed by zstd (not protobuf) or gzip if it accepts that;
//   - /healthz: 200 while the process is alive, without credentials, whatever the web config file
//     says;
//   - /: a page with links to both, or what [Telemetry.Handle] puts there;
//   - every other path that Handle adds, protected as the metrics are.
//
// Scrapes at the same time share a collection and, in the same format and encoding, its text. The
// answer is 503 with Retry-After if more than 512 scrapes are under way, and 503 after 30 seconds and
// after Shutdown. Series have no labels of their scope; target_info has the attributes of the
// resource. Metrics of the Go runtime and the process are not included.
//
// Clients that read slowly share the memory of their answers: at most two of each format and
// encoding, unless they are small. A client is cut off if it takes nothing for 10 seconds, or not all
// within 30. It is cut off earlier if a new scrape needs a third answer while it takes nothing. While
// clients read two answers, a new scrape may get the newer one, if that was made within the last
// 250 ms, or the time that it took to make.
//
// The server has at most 512 connections, and at most one for every two file descriptors that the
// process may have. Past that, a new connection takes the place of the one that has been without a
// request for the longest time, or else of a client that takes nothing of its scrape. Idle connections
// are closed after 45 seconds. If more requests are under way than twice the connections, the
// connection with the most of them is closed.
//
// A scrape in text or OpenMetrics costs about 1 µs for each series, 2 µs with gzip, and more with
// exemplars. It keeps memory for the next scrape: 200 to 500 bytes for a series, up to 1,500 for a
// histogram with exemplars, and the size of one answer. This package cannot write some metrics
// itself, such as exponential histograms and two series with the same labels. Then the upstream
// exporter answers, for a minute, at its own speed.
//
// Exemplars are measurements in a sampled span: one for each bucket of a histogram, and one for
// each counter. An exemplar may be up to 10 ms older than the newest such measurement. A view may
// select other reservoirs.
//
// The scrape and a cumulative push share a reader, unless histograms are aggregated differently.
// With two readers, as with delta temporality, each recording costs about twice as much.
// docs/performance.md has figures.
//
// # Push
//
// Metrics are pushed about a second after the start, at each interval and at Shutdown; spans in
// batches after they end. Each failure is counted in
// video_processing_export_failures_total{signal}. The log has one line when a signal begins to
// fail, and one when it works again. During an outage pushes are tried again every few seconds. A
// receiver that refuses the data is asked again at the next interval, and one that asks to wait
// after that time: RetryInfo and Retry-After are obeyed, for up to an hour.
//
// A request has at most 2,048 points and 4 MiB. If a receiver takes less, it gets smaller ones; a
// single point or span that it finds too large is dropped, counted and logged. Requests follow no
// redirect to another origin, because their headers may hold keys.
//
// Cumulative metrics, the default, lose nothing when a push fails: the next push that arrives has
// the totals. What the last push, at Shutdown, does not deliver is lost. With delta temporality the
// data of a failed push is lost, data whose answer is lost is counted twice, sums that callbacks
// observe are too high once after another callback has panicked, and Prometheus's own OTLP receiver
// refuses every push.
//
// OTLP refuses texts that are not UTF-8. They arrive with U+FFFD in place of the wrong bytes.
//
// Spans are dropped if their batch fails, and if their queue is full: during an outage, or if they
// end faster than they are sent. OTEL_BSP_MAX_QUEUE_SIZE makes room for more.
//
// # Health
//
// [Telemetry.Health] says how all of this fares in this process: scrapes, pushes and their last
// errors, spans that wait or were dropped, metrics with more series than allowed. It costs a few
// allocations and waits for nothing.
//
// # Where to look
//
// This package has the options, the providers and the globals, and gathers the figures of Health,
// which the rooms keep. Everything else is in rooms below internal:
//
//   - settings: options and variables, checked, as one value
//   - collect: the reader that scrape and push share, exemplars, views
//   - push: OTLP exporters, the pusher of metrics, the queue of spans, answers of
//     receivers, failures, invalid UTF-8
//   - scrape: formats, compression, the handler of /metrics
//   - exposition: text and OpenMetrics, written without a registry
//   - web: the HTTP server, its paths, the landing page, the web config file
//   - report: log lines and error texts
//   - exportertest: what the tests of several rooms share
package exporters
