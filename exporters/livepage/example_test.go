package livepage_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
)

// One line after exporters.Start serves the page at / of the metrics server, here on a port of the
// system's choice.
func ExampleMount() {
	ctx := context.Background()
	tel, err := exporters.Start(ctx, exporters.WithPrometheusAddr("127.0.0.1:0"), exporters.WithoutGlobals())
	if err != nil {
		log.Print(err)
	}
	defer func() { _ = tel.Shutdown(ctx) }()
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tel.TracerProvider()))
	if err != nil {
		log.Print(err)
	}
	if err := livepage.Mount(tel, p); err != nil {
		log.Print(err)
	}

	resp, err := http.Get("http://" + tel.Addr().String() + "/")
	if err != nil {
		log.Print(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status, resp.Header.Get("Content-Type"))
	// Output: 200 OK text/html; charset=utf-8
}

// The page is served by a server of the program's own, under a prefix.
func ExampleNew() {
	p, err := instrument.New()
	if err != nil {
		log.Print(err)
	}
	page, err := livepage.New(nil, p)
	if err != nil {
		log.Print(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ops/", http.StripPrefix("/ops", page))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/ops/live/job.json?run=1", nil))
	fmt.Println(answer.Code, answer.Body)
	// Output: 404 this run is not remembered
}

// A report of a finished run is one file, which needs no server and no telemetry.
func ExampleWriteReport() {
	p, err := instrument.New()
	if err != nil {
		log.Print(err)
	}
	p.KeepHistory(1000) // before the first job
	_ = p.RunJob(context.Background(), "video-1.mp4", func(ctx context.Context) error {
		return instrument.RunStage(ctx, "rendering", func(context.Context) error { return nil })
	})

	path := filepath.Join(os.TempDir(), "stagemeter-example.html")
	defer os.Remove(path)
	file, err := os.Create(path)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(livepage.WriteReport(file, p), file.Close())
	// Output: <nil> <nil>
}
