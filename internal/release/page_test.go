package release

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// record uses all that records. Two jobs go on, so that their series stay.
func record(ctx context.Context, p *instrument.Pipeline) {
	ctx = instrument.ContextWithPipeline(ctx, p)
	for _, kind := range []instrument.PoolKind{instrument.PoolDatabase, instrument.PoolRedis} {
		_, _ = p.ObservePool(kind, "main \"\\\n", func() instrument.PoolStats { return instrument.PoolStats{Used: 3, Idle: 1 << 21} })
	}
	for i := range 40 {
		id := "job-" + strconv.Itoa(i)
		carrier := propagation.MapCarrier{}
		p.Enqueue(ctx, id, carrier)
		time.Sleep(1234567 * time.Microsecond)
		ctx, job := p.StartJob(ctx, id, instrument.WithBudget(instrument.Dollar), instrument.WithCarrier(carrier),
			instrument.WithVideoDuration(time.Minute))
		stageCtx, stage := instrument.StartStage(ctx, []string{"analysis", "rendering", "a/b.c"}[i%3])
		time.Sleep(time.Duration(i*i) * 77 * time.Millisecond)
		instrument.Spend(stageCtx, []string{"whisper", "gpt"}[i%2], money.Mul(money.Cent, int64(i))/7)
		if _, call, err := instrument.StartCall(stageCtx, "whisper"); err == nil {
			call.SetCost(instrument.Cent / 3)
			call.End(nil)
		}
		instrument.RecordHighlight(ctx, float64(i)/39)
		instrument.RecordHighlight(ctx, 2) // not recorded, but counted
		instrument.RecordSegments(ctx, i)
		instrument.RecordLoudnessSpread(ctx, semconv.PhaseBefore, instrument.LU(i))
		instrument.RecordNormalization(ctx, instrument.Decibel(-float64(i)/3))
		instrument.RecordError(ctx, errors.New("blurred"))
		var err error
		if i%5 == 0 {
			err = context.DeadlineExceeded
		}
		if i < 37 {
			stage.End(&err)
		}
		if i < 38 {
			job.End(&err)
		}
	}
	instrument.TrackProcess(ctx) // never done
}

// What a test reads with Recorder.Exposition is what Prometheus scrapes from the program: for the same recordings, by a
// clock that both see alike, the page has every line of it.
func TestExpositionIsThePage(t *testing.T) {
	p, rec := instrumenttest.New(t)
	tel, err := exporters.Start(t.Context(), exporters.WithPrometheusAddr("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tel.Shutdown(context.Background()) }()
	exported, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exported.Close(context.Background()) }()
	for _, p := range []*instrument.Pipeline{p, exported} {
		synctest.Test(t, func(t *testing.T) { record(context.Background(), p) })
	}

	resp, err := http.Get("http://" + tel.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, page := families(t, rec.Exposition()), families(t, string(body))
	delete(page, "video_processing_export_failures_total") // the exporters' own
	if len(text) < 25 {
		t.Errorf("only %d metrics are recorded", len(text))
	}
	for name, lines := range text {
		if !slices.Equal(lines, page[name]) {
			t.Errorf("%s is\n%s\non the page\n%s", name, strings.Join(lines, "\n"), strings.Join(page[name], "\n"))
		}
	}
	for name := range page {
		if text[name] == nil && strings.HasPrefix(name, "video_processing_") {
			t.Errorf("%s is only on the page", name)
		}
	}
}

// families returns the lines of each metric of a page. Its values are written in one way: 2.097152e+06 is 2097152.
func families(t *testing.T, page string) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	name := ""
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, _, _ = strings.Cut(help, " ")
		} else if at := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") {
			value, err := strconv.ParseFloat(line[at+1:], 64)
			if err != nil {
				t.Fatal(err)
			}
			line = line[:at+1] + strconv.FormatFloat(value, 'f', -1, 64)
		}
		all[name] = append(all[name], line)
	}
	return all
}
