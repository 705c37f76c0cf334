// Package exporters says where telemetry goes: to Prometheus, which scrapes
// this process, and over OTLP to a collector, with the same data.
//
//	tel, err := exporters.Start(ctx)
//	if err != nil {
//		slog.Error("telemetry", "error", err) // tel is usable all the same
//	}
//	defer tel.Shutdown(ctx)
//
//	p, err := instrument.New(
//		instrument.WithMeterProvider(tel.MeterProvider()),
//		instrument.WithTracerProvider(tel.TracerProvider()),
//	)
//
// Telemetry never changes the program: it doesn't wait for a receiver, doesn't
// panic and doesn't exit. Whatever is wrong, the rest goes on. A callback of an
// observable instrument that returns an error takes no other metric along; while
// one panics, scrapes fail and nothing is pushed, and the log says why; one that
// blocks holds up the scrapes and pushes, and whoever makes an instrument or
// unregisters a callback meanwhile (instrument.New, the first use of its
// Default, Pipeline.Close), but no recording and no Shutdown.
//
// # Settings
//
// An option wins over the environment, the environment over the default. A
// value that can't be used is an error of [Start] that names the option or the
// variable, the value and what is allowed. A variable that is empty counts as
// unset.
//
//	OPTION                  ENVIRONMENT                              VALUES                                        DEFAULT
//	                        OTEL_SDK_DISABLED                        true: nothing is measured, pushed or served   false
//	WithLogger              OTEL_LOG_LEVEL (level alone)             debug info warn error none                    slog.Default, its own level
//	WithServiceName         OTEL_SERVICE_NAME                        a name                                        unknown_service:<executable>
//	WithServiceVersion      OTEL_RESOURCE_ATTRIBUTES                 a version                                     the main module's
//	WithResourceAttributes  OTEL_RESOURCE_ATTRIBUTES                 key=value,… percent-encoded                   what is detected
//	WithGlobals                                                                                                    package otel is left alone
//	WithShutdownTimeout                                              a duration                                    5s
//
//	WithPrometheusAddr,     OTEL_METRICS_EXPORTER                    comma list: prometheus otlp console none      prometheus, and otlp
//	WithoutPrometheus,                                                                                             if it has an endpoint
//	WithOTLPEndpoint
//	WithPrometheusAddr      OTEL_EXPORTER_PROMETHEUS_HOST            a host or IP address                          all addresses
//	WithPrometheusAddr      OTEL_EXPORTER_PROMETHEUS_PORT            0 to 65535                                    9099
//	WithWebConfigFile                                                a file of Prometheus's exporter-toolkit       plain HTTP, open
//	WithExportInterval      OTEL_METRIC_EXPORT_INTERVAL              milliseconds                                  60000
//	                        OTEL_METRIC_EXPORT_TIMEOUT               milliseconds                                  30000
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
//	                        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE  * file in PEM                                   none
//	                        OTEL_EXPORTER_OTLP_CLIENT_KEY          * file in PEM                                   none
//	                        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE         cumulative delta lowmemory   cumulative
//	                        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION  explicit_bucket_histogram    explicit_bucket_histogram
//	                                                                                  base2_exponential_bucket_histogram
//
// Those with * exist for one signal too, and that one wins:
// OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL. An
// endpoint for one signal is used as it is; to the general one HTTP adds
// /v1/metrics and /v1/traces. A list that names otlp without an endpoint
// pushes to localhost, port 4317 or 4318. The SDK itself reads OTEL_SPAN_*, the
// limits of spans. What it finds wrong with a variable it prints to stderr, a
// header that is malformed with its value, unless WithGlobals has it silent.
//
// # Scrape
//
// The server answers /metrics in the text format, in OpenMetrics, which has
// exemplars, and in protobuf, as the scraper asks; /healthz with 200 while the
// process is alive, without credentials whatever the web config file demands;
// and / with a page that links both. Text and OpenMetrics are compressed by zstd
// or gzip for whoever accepts that, protobuf by gzip. Scrapes at the same time
// share a collection; of more than 16 of a kind, and after 30 seconds, the
// answer is 503. Series have no labels of their scope, target_info has the
// resource's attributes. The Go runtime and the process are not in it.
//
// A scrape in text or OpenMetrics costs about 1 µs for a series, 2 with gzip,
// and more with exemplars, and memory that is kept for the next: 200 to 500
// bytes for a series, up to 1,500 for a histogram with exemplars, and the size
// of one answer. Metrics that these formats can't show as they are, such as
// exponential histograms and two series with the same labels, make it as slow
// as the upstream exporter, which then answers for a minute and is tried after.
//
// Exemplars are the newest measurements in a sampled span, to 10 ms: one for
// each bucket of a histogram, and for each counter. A view that selects other reservoirs
// has them.
//
// The scrape and a push share a reader if the push is cumulative, with the
// default aggregation of histograms. Otherwise, as with delta temporality, each
// recording costs about twice as much. docs/performance.md has figures.
//
// # Push
//
// Metrics are pushed right after the start, at each interval and at Shutdown;
// spans as they end, in batches. Each failure is counted in
// video_processing_export_failures_total{signal}; the log has one line when a
// signal begins to fail and one when it works again. While pushes fail they are
// tried again every few seconds. Cumulative metrics, the default, lose nothing
// by that: the next push that arrives tells the total. With delta temporality
// what a failed push held is lost, sums that callbacks observe are too high
// once after another callback has panicked, and Prometheus's own OTLP receiver
// refuses it all. Texts that are not UTF-8, which OTLP doesn't take, arrive
// with U+FFFD in place of what is wrong. Spans are dropped when their batch
// fails, and when their queue is full: during an outage, or if they end faster
// than they are sent. Those of the queue are counted nowhere:
// OTEL_BSP_MAX_QUEUE_SIZE, 2048 unless set, makes room.
package exporters
