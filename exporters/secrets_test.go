package exporters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// passwords are URLs with the password, or the key, hunter2. Most of them cannot be parsed.
var passwords = []string{
	"http://user:hunter2@host:bad", "http://user:hunter2%@host/0", "http://user:hunter2@ho st:1/0", "http://user:hunter2", "http://user:hunter2%40host:1",
	"https://host/v1?api_key=hunter2", "https://host/#hunter2", "user:hunter2@host:4317", "redis://user:hunter2@host:6379",
}

func init() { children["secrets"] = secrets }

// secrets starts telemetry and ends it. Its output must have no password.
func secrets() {
	var opts []Option
	if url := os.Getenv("TEST_ENDPOINT"); url != "" {
		opts = append(opts, WithOTLPEndpoint(url))
	}
	tel, err := Start(context.Background(), append(opts, WithoutServer(), WithShutdownTimeout(time.Millisecond))...)
	fmt.Println(err)
	_ = tel.Shutdown(context.Background())
}

// No output of the program has a password of a URL or a key of a header, wherever it was put: not
// in ours, and not in the SDK's, which prints to stderr. The environment is unchanged.
func TestNothingSecretIsPrinted(t *testing.T) {
	for _, env := range [][]string{
		{"OTEL_EXPORTER_OTLP_HEADERS=authorization: Bearer hunter2"},
		{"OTEL_EXPORTER_OTLP_HEADERS=x-api-key=hunter2%zz,x-tenant=acme"},
		{"OTEL_EXPORTER_OTLP_METRICS_HEADERS=a b=hunter2"},
		{"OTEL_EXPORTER_OTLP_TRACES_HEADERS=hunter2"},
		{"OTEL_EXPORTER_OTLP_CLIENT_KEY=-----BEGIN PRIVATE KEY-----\nhunter2", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=x.pem"},
	} {
		runSecrets(t, append(env, "TEST_ENDPOINT=https://127.0.0.1:1")...)
	}
	for _, url := range passwords {
		runSecrets(t, "TEST_ENDPOINT="+url)
		runSecrets(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url)
		runSecrets(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "TEST_ENDPOINT=http://127.0.0.1:1")
		runSecrets(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "TEST_ENDPOINT=http://127.0.0.1:1")
	}
}

// runSecrets runs the child in a process of its own.
func runSecrets(t *testing.T, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), envChild+"=secrets"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "hunter2") || len(out) == 0 {
		t.Errorf("%q: %v, printed\n%s", env, err, out)
	}
}

// A malformed variable stays as it is, also while Start runs: the program reads its environment and
// starts others with it meanwhile.
func TestMalformedVariableIsUnchanged(t *testing.T) {
	defer otel.SetLogger(logr.Discard())
	const headers, endpoint = "x-tenant=acme,Authorization: Bearer x", "http://user:x@host:bad"
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)
	r := receive(t)
	var seen atomic.Pointer[string] // by the first line, which says that Start has started everything
	watch := WithLogger(slog.New(handlerFunc(func() {
		now := os.Getenv("OTEL_EXPORTER_OTLP_HEADERS")
		seen.CompareAndSwap(nil, &now)
	})))
	tel, err := Start(t.Context(), WithoutGlobals(), WithoutServer(), WithOTLPEndpoint(r.url()), WithShutdownTimeout(patience), onlyFlush, watch)
	if err == nil {
		t.Error("no error")
	}
	if got := seen.Load(); got == nil || *got != headers {
		t.Errorf("while Start runs the headers are %v", got)
	}
	count(tel, "jobs", 1)
	if err := tel.Shutdown(t.Context()); err != nil || r.sum("jobs") != 1 || len(r.header("x-tenant")) != 1 {
		t.Errorf("%v, jobs = %v, x-tenant = %q", err, r.sum("jobs"), r.header("x-tenant"))
	}
	if got := os.Getenv("OTEL_EXPORTER_OTLP_HEADERS"); got != headers {
		t.Errorf("the headers are %q now", got)
	}
	if got := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); got != endpoint {
		t.Errorf("the endpoint is %q now", got)
	}
}

// The error of a callback shows no password in the log, on the page of a scrape and in the errors of
// this package.
func TestCallbackThatShowsAPassword(t *testing.T) {
	for _, panics := range []bool{false, true} {
		for _, url := range passwords {
			book := &exportertest.LogBook{}
			r := receive(t)
			tel := start(t, WithoutServer(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger(book.Logger()), WithShutdownTimeout(patience), onlyFlush)
			observe(t, tel, "pool", func() (int64, error) {
				err := fmt.Errorf("dial %q: %w", url, errors.New("no"))
				if panics {
					panic(err)
				}
				return 0, err
			})
			err := tel.ForceFlush(t.Context())
			rec := httptest.NewRecorder()
			tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			said := fmt.Sprintf("%v %v %v %+v", err, rec.Body, book, tel.Health())
			if err == nil || strings.Contains(said, "hunter2") || !strings.Contains(said, "dial") {
				t.Errorf("%s: %s", url, said)
			}
		}
	}
}

// A handlerFunc is called for each line.
type handlerFunc func()

func (handlerFunc) Enabled(context.Context, slog.Level) bool    { return true }
func (f handlerFunc) Handle(context.Context, slog.Record) error { f(); return nil }
func (f handlerFunc) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f handlerFunc) WithGroup(string) slog.Handler             { return f }
