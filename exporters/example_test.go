package exporters_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/exporters"
)

// A service has its metrics on a port, pushes them too if the environment has an endpoint, and
// delivers the last data after SIGTERM.
func ExampleStart() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	tel, err := exporters.Start(ctx,
		exporters.WithServiceName("editor"),
		exporters.WithPrometheusAddr("127.0.0.1:0"),
	)
	if err != nil {
		fmt.Println(err) // tel is usable nevertheless
	}
	defer tel.Shutdown(ctx) // ctx may be over by then

	jobs, _ := tel.MeterProvider().Meter("example").Int64Counter("jobs")
	jobs.Add(ctx, 2)

	resp, err := http.Get("http://" + tel.Addr().String() + "/metrics")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "jobs_total") {
			fmt.Print(line)
		}
	}
	// Output:
	// jobs_total 2
}

// A value that cannot be used is an error that says what is allowed. The rest works.
func ExampleStart_errors() {
	os.Setenv("OTEL_TRACES_SAMPLER", "sometimes")
	defer os.Unsetenv("OTEL_TRACES_SAMPLER")

	tel, err := exporters.Start(context.Background(),
		exporters.WithoutServer(),
		exporters.WithExportInterval(-1),
	)
	defer tel.Shutdown(context.Background())
	fmt.Println(err)
	// Output:
	// exporters: WithExportInterval(-1ns): want more than 0; it is left out
	// exporters: OTEL_TRACES_SAMPLER="sometimes": want one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio; the default, parentbased_always_on, is used
}

// A program with a server of its own serves the metrics there.
func ExampleTelemetry_Handler() {
	ctx := context.Background()
	tel, err := exporters.Start(ctx, exporters.WithoutServer())
	if err != nil {
		fmt.Println(err)
	}
	defer tel.Shutdown(ctx)

	mux := http.NewServeMux()
	mux.Handle("GET /internal/metrics", tel.Handler())

	calls, _ := tel.MeterProvider().Meter("example").Int64Counter("api_calls")
	calls.Add(ctx, 3, metric.WithAttributes(attribute.String("api", "whisper")))

	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/internal/metrics", nil))
	for line := range strings.Lines(rec.Body.String()) {
		if strings.HasPrefix(line, "api_calls") {
			fmt.Print(line)
		}
	}
	// Output:
	// api_calls_total{api="whisper"} 3
}

// A page of the program's own stands beside the metrics, under the same protection.
func ExampleTelemetry_Handle() {
	ctx := context.Background()
	tel, err := exporters.Start(ctx, exporters.WithPrometheusAddr("127.0.0.1:0"))
	if err != nil {
		fmt.Println(err)
	}
	defer tel.Shutdown(ctx)

	err = tel.Handle("GET /queue", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "3 jobs wait")
	}))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(tel.Handle("GET /metrics", http.NotFoundHandler()))

	resp, err := http.Get("http://" + tel.Addr().String() + "/queue")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Print(string(body))
	// Output:
	// exporters: Handle("GET /metrics"): /metrics is answered by the server itself; the handler is not served
	// 3 jobs wait
}

// A program asks how its telemetry fares. What was never tried is no zero, but unknown.
func ExampleTelemetry_Health() {
	ctx := context.Background()
	tel, err := exporters.Start(ctx, exporters.WithoutServer())
	if err != nil {
		fmt.Println(err)
	}
	defer tel.Shutdown(ctx)

	show := func(h exporters.ScrapeHealth) {
		if h.State == exporters.HealthUntried {
			fmt.Println("nobody has scraped yet")
			return
		}
		fmt.Println(h.State, "after", h.Successes, "scrapes of", h.Series, "series")
	}
	show(tel.Health().Scrape)
	tel.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
	show(tel.Health().Scrape)
	fmt.Println("traces:", tel.Health().Traces.State)
	// Output:
	// nobody has scraped yet
	// works after 1 scrapes of 3 series
	// traces: off
}
