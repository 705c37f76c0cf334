package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/editor"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// export starts the exporters. It logs their errors, which do not stop the program.
func export(ctx context.Context, listen string, log *slog.Logger) *exporters.Telemetry {
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
	return tel
}

// ledgerTimeout is how long a call waits for the ledger, before it is made and after it. It covers
// a restart of the database.
const ledgerTimeout = 30 * time.Second

// measure makes the pipeline. What a call may cost is in the ledger before the call is made, or it
// is not made.
func measure(ctx context.Context, tel *exporters.Telemetry, checkpoints *store.Store, log *slog.Logger) *instrument.Pipeline {
	// The editor stores the times of stages after each job. Without them estimates begin anew.
	earlier, err := checkpoints.StageTimes(ctx)
	if err != nil {
		log.Warn("estimates begin anew", "error", err)
	}
	p, err := instrument.New(
		instrument.WithMeterProvider(tel.MeterProvider()),
		instrument.WithTracerProvider(tel.TracerProvider()),
		instrument.WithStages(editor.Stages()...),
		instrument.WithAPIs(editor.APIs()...),
		instrument.WithDetails(), // which the screen shows, also where no page is served
		instrument.WithStageTimes(earlier...),
		instrument.WithLedger(checkpoints.Ledger()),
		instrument.WithLedgerPolicy(instrument.LedgerClosed()),
		instrument.WithLedgerTimeout(ledgerTimeout, ledgerTimeout),
		instrument.WithRecover()) // a panic of one job must not end the others
	if err != nil {
		log.Error("telemetry", "error", err)
	}
	return p
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
