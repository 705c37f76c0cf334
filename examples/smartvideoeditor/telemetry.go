package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/editor"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/whisper"
)

// measure starts the exporters and makes the pipeline. It logs their errors, which do not stop the
// program.
func measure(ctx context.Context, listen string, log *slog.Logger) (*exporters.Telemetry, *instrument.Pipeline) {
	opts := []exporters.Option{
		exporters.WithServiceName("smartvideoeditor"),
		exporters.WithGlobals(),
		exporters.WithLogger(log),
	}
	if listen != "" {
		opts = append(opts, exporters.WithPrometheusAddr(listen))
	}
	tel, err := exporters.Start(ctx, opts...)
	if err != nil {
		log.Error("telemetry; -listen says where to serve it", "error", err)
	}
	p, err := instrument.New(
		instrument.WithMeterProvider(tel.MeterProvider()),
		instrument.WithTracerProvider(tel.TracerProvider()),
		instrument.WithStages(editor.Stages()...),
		instrument.WithAPIs(whisper.API),
		instrument.WithRecover()) // a panic of one job must not end the others
	if err != nil {
		log.Error("telemetry", "error", err)
	}
	return tel, p
}

// scrapeURL returns the URL of the metrics for a browser on this machine.
func scrapeURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/metrics"
}

// dump writes the metrics of this moment to a file.
func dump(ctx context.Context, tel *exporters.Telemetry, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return err
	}
	scrape := &response{header: make(http.Header)}
	tel.Handler().ServeHTTP(scrape, request)
	return summary.WriteFile(path, scrape.Bytes())
}

// response keeps the answer of a handler.
type response struct {
	bytes.Buffer
	header http.Header
}

func (r *response) Header() http.Header { return r.header }
func (r *response) WriteHeader(int)     {}
