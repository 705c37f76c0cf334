package trial

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Programs that run at the same time on one pipeline have the sum of their books, also by their events.
func TestProgramsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudit()
		p, rec := instrumenttest.New(t, instrument.WithEvents(a.events()), instrument.WithLiveJobLimit(1000))
		b := newBooks()
		runTogether(t.Context(), p, b, 40)
		got := shown(t, rec.Exposition())
		compare(t, got, b.all())
		a.compareCounts(t, got)
	})
}

func runTogether(ctx context.Context, p *instrument.Pipeline, b *books, programs uint64) {
	var wg sync.WaitGroup
	for seed := range programs {
		wg.Go(func() {
			newProgram(fmt.Sprintf("p%d", seed), 1000+seed, p, b, "deny").run(ctx)
		})
	}
	wg.Wait()
}

// A scrape of the exporters shows the same.
func TestScrapeShowsTheBooks(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	tel, err := exporters.Start(t.Context(), exporters.WithoutServer(), exporters.WithoutGlobals())
	if err != nil {
		t.Fatal(err)
	}
	defer tel.Shutdown(context.Background())
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tel.TracerProvider()))
	if err != nil {
		t.Fatal(err)
	}
	b := newBooks()
	synctest.Test(t, func(t *testing.T) { runTogether(t.Context(), p, b, 5) })
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("the scrape answers %d", w.Code)
	}
	compare(t, shown(t, w.Body.String()), b.all())
}
