// Package push times a push over OTLP: collecting, encoding, sending, until the receiver has answered.
package push

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

const (
	pushSeries = 10_000
	hugeSeries = 100_000
)

// Measure checks that both send the same, times them, and sees how far a push may grow.
func Measure(s rounds.Settings, quick bool) (figures.Section, error) {
	sec := figures.Section{Name: "push", Title: "A push",
		Intro: fmt.Sprintf("%d series, half counters and half histograms of 12 boundaries, pushed over OTLP and gRPC to a receiver in "+
			"the same process, which answers without decoding. A tenth of them changes between two pushes, outside of the clock. "+
			"The last rows are what the SDK's collection takes of it, by a reader of its own.", pushSeries)}
	s.Rounds = min(s.Rounds, 15)
	if quick {
		s.Rounds = min(s.Rounds, 5)
	}
	for _, traced := range []bool{false, true} {
		if err := measure(&sec, s, traced); err != nil {
			return sec, err
		}
	}
	sec.Note("What stagemeter's own collection takes cannot be told from outside of it; the goal is on the whole push.")
	if quick {
		sec.Note("A quick run leaves out the push of %d series.", hugeSeries)
		return sec, nil
	}
	return sec, huge(&sec)
}

func measure(sec *figures.Section, s rounds.Settings, traced bool) error {
	c := workload.New(pushSeries)
	senders, err := open(c, traced)
	defer closeAll(senders)
	if err != nil {
		return err
	}
	exemplars, err := compare(senders, traced)
	if err != nil {
		return err
	}
	var rivals []rounds.Rival
	var failed error
	for _, name := range []string{ours, upstream} {
		turn := 0
		rivals = append(rivals, rounds.Rival{
			Name:    name,
			Between: func() { c.Touch(senders[name], turn); turn++ },
			Loop: func(n int) {
				for range n {
					failed = errors.Join(failed, senders[name].push())
				}
			},
		})
	}
	fresh, err := collection(c, traced, false)
	if err != nil {
		return err
	}
	reused, err := collection(c, traced, true)
	if err != nil {
		return err
	}
	for _, s := range senders {
		s.receiver.got()
	}
	results := rounds.Run(s, append(rivals, fresh, reused)...)
	if failed != nil {
		return failed
	}

	title := "nothing sampled"
	if traced {
		title = "each with exemplars"
	}
	t := figures.Table{Title: fmt.Sprintf("%d series, %s", pushSeries, title),
		Columns: []string{"", "time", "ratio", "allocated", "allocs", "a request", "exemplars"}}
	for _, r := range results {
		ratio, request, shown := "", "", ""
		if sender := senders[r.Name]; sender != nil {
			n, bytes := sender.receiver.got()
			ratio = figures.Figure(rounds.Ratio(results.Of(ours), &r, nil)) + figures.Ratio
			request, shown = figures.Bytes(float64(bytes)/float64(max(n, 1))), fmt.Sprint(exemplars[r.Name])
		}
		t.Add(r.Name, figures.Times(r.Nanos()), ratio, figures.Bytes(r.Bytes().Median),
			figures.Figure(float64(int(r.Allocs().Median))), request, shown)
	}
	sec.Tables = append(sec.Tables, t)
	sec.Ratio("A push: time, to the OTel exporter", t.Title, rounds.Ratio(results.Of(ours), results.Of(upstream), nil), 1)
	return nil
}

func open(c workload.Workload, traced bool) (map[string]*sender, error) {
	senders := make(map[string]*sender)
	var errs []error
	for name, start := range map[string]func(workload.Workload, bool) (*sender, error){ours: newOurs, upstream: newUpstream} {
		s, err := start(c, traced)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		senders[name] = s
	}
	if s := senders[ours]; s != nil {
		errs = append(errs, s.settled())
	}
	return senders, errors.Join(errs...)
}

func closeAll(senders map[string]*sender) {
	for _, s := range senders {
		_ = s.close() // what it says of a last push, the pushes before have said
	}
}

// compare has both push, and holds what arrived against each other.
func compare(senders map[string]*sender, traced bool) (exemplars map[string]int, err error) {
	exemplars = make(map[string]int)
	got := make(map[string]page.Page)
	for name, s := range senders {
		requests, err := s.receiver.during(s.push)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if got[name], err = points(requests); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		exemplars[name] = got[name].Exemplars
		if (exemplars[name] > 0) != traced {
			return nil, fmt.Errorf("%s: %d exemplars", name, exemplars[name])
		}
	}
	if err := page.Equal(got[ours], got[upstream], false); err != nil {
		return nil, fmt.Errorf("%s and %s differ: %w", ours, upstream, err)
	}
	return exemplars, nil
}

// collection is a collection by a reader of the SDK, into a new place each time, as the upstream exporter does it, or
// into the same.
func collection(c workload.Workload, traced, reuse bool) (rounds.Rival, error) {
	reader := sdkmetric.NewManualReader()
	i, err := workload.NewInstruments(workload.Context(traced), sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), c)
	if err != nil {
		return rounds.Rival{}, err
	}
	c.Fill(i)
	name, turn := "collection alone, into a new place", 0
	if reuse {
		name = "collection alone, into the same place"
	}
	var kept metricdata.ResourceMetrics
	return rounds.Rival{
		Name:    name,
		Between: func() { c.Touch(i, turn); turn++ },
		Loop: func(n int) {
			for range n {
				into := &kept
				if !reuse {
					into = &metricdata.ResourceMetrics{}
				}
				_ = reader.Collect(context.Background(), into) // no callback, nothing can fail
			}
		},
	}, nil
}

// huge pushes so much that it does not fit into one message.
func huge(sec *figures.Section) error {
	c := workload.New(hugeSeries)
	senders, err := open(c, false)
	defer closeAll(senders)
	if err != nil {
		return err
	}
	t := figures.Table{Title: fmt.Sprintf("%d series, to a receiver with the limit of 4 MiB that gRPC has by default", hugeSeries),
		Columns: []string{"", "series that arrived", "requests", "error"}}
	for _, name := range []string{ours, upstream} {
		requests, pushErr := senders[name].receiver.during(senders[name].push)
		got, err := points(requests)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		told := "none"
		if pushErr != nil {
			told = oneLine(pushErr)
		}
		t.Add(name, fmt.Sprint(got.Series()), fmt.Sprint(len(requests)), told)
		if name == ours && (pushErr != nil || got.Series() != hugeSeries) {
			return fmt.Errorf("%s: %d of %d series arrived: %w", name, got.Series(), hugeSeries, pushErr)
		}
	}
	sec.Tables = append(sec.Tables, t)
	return nil
}

// oneLine is the end of an error, in a cell.
func oneLine(err error) string {
	text := strings.ReplaceAll(strings.Join(strings.Fields(err.Error()), " "), "|", "/")
	if len(text) > 160 {
		text = "…" + text[len(text)-160:]
	}
	return text
}
