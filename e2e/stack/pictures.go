package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// picture is one SVG: over the time of the run, or of its end with the label by on the x-axis.
type picture struct {
	file, title string
	x, y        string // what the axes show, with units
	by          model.LabelName
	order       []string // of by's values, where they are not numbers; others follow
	stacked     bool     // over time: the series add up
	buckets     bool     // by is le: a bar is what is in a bucket alone
	format      string   // of the y-axis
	series      []series
}

// series is one colour of a picture. Over time its query gives one series.
type series struct{ name, colour, query string }

// pictures are of what the dashboards' panels show. Where a panel has a rate, which needs minutes, it is counted here
// from the start.
var pictures = []picture{
	{
		file: "jobs.svg", title: "Jobs by status over time", x: "seconds", y: "jobs", stacked: true, format: "%.0f",
		series: []series{
			{"completed", "#2da44e", `sum(video_processing_jobs_total{status="completed"})`},
			{"failed", "#cf222e", `sum(video_processing_jobs_total{status="failed"})`},
			{"in progress", "#0969da", `sum(video_processing_jobs_in_progress)`},
			{"waiting", "#afb8c1", `sum(video_processing_jobs_total{status="queued"}) - ` +
				`sum(video_processing_jobs_total{status=~"completed|failed|canceled"}) - sum(video_processing_jobs_in_progress)`},
		},
	},
	{
		file: "stages.svg", title: "Seconds that a stage takes, median and 95th percentile",
		y: "seconds", by: "stage", format: "%.3g",
		order: []string{"validation", "analysis", "transcription", "titling", "normalization", "rendering"},
		series: []series{
			{"P50", "#54aeff", `histogram_quantile(0.5, sum by (stage, le) (video_processing_duration_seconds_bucket)) >= 0`},
			{"P95", "#0550ae", `histogram_quantile(0.95, sum by (stage, le) (video_processing_duration_seconds_bucket)) >= 0`},
		},
	},
	{
		file: "cost.svg", title: "Cost, and what is left of budgets", x: "seconds", y: "US dollars", format: "$%.4f",
		series: []series{
			{"spent, all jobs", "#8250df", `sum(video_processing_cost_usd_total)`},
			{"least left to a job in progress", "#bc4c00", `min(video_processing_budget_remaining_usd ` +
				`and on (job, instance) (video_processing_jobs_in_progress > 0))`},
		},
	},
	{
		file: "loudness.svg", title: "Loudness spread of videos: loudest minus quietest segment",
		y: "videos", by: "le", buckets: true, x: "loudness units (LU), up to and including", format: "%.0f",
		series: []series{
			{"before normalization", "#bf8700", spread + `{phase="before"})`},
			{"after normalization", "#2da44e", spread + `{phase="after"})`},
		},
	},
}

// spread is the beginning of a query.
const spread = `sum by (le) (video_processing_audio_loudness_spread_lu_bucket`

const (
	// pointsAtMost keeps a picture small, as each point is written out.
	pointsAtMost = 150
	shortestStep = time.Second
)

// values are what a picture shows: for each of its series one value for each label of the x-axis, NaN for none.
type values struct {
	labels []string
	every  int // over time: how many labels on there is one to show
	of     [][]float64
}

// draw writes the pictures of a run that is over into dir. It writes none unless Prometheus has data for each series of
// each.
func (f figures) draw(ctx context.Context, dir string, run promapi.Range) error {
	run.Step = max(shortestStep, run.End.Sub(run.Start)/pointsAtMost).Truncate(time.Second)
	drawn := make([][]byte, len(pictures))
	for i, p := range pictures {
		found, err := f.values(ctx, p, run)
		if err == nil {
			drawn[i], err = p.svg(found)
		}
		if err != nil {
			return fmt.Errorf("picture %s: %w", p.file, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, p := range pictures {
		if err := os.WriteFile(filepath.Join(dir, p.file), drawn[i], 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (f figures) values(ctx context.Context, p picture, run promapi.Range) (values, error) {
	until := run.End.Sub(run.Start).Seconds()
	run.End = time.Now()
	all := make([]map[string]float64, len(p.series))
	for i, s := range p.series {
		var err error
		if p.by == "" {
			all[i], err = f.over(ctx, s.query, run)
		} else {
			all[i], err = f.now(ctx, s.query, p.by)
		}
		switch {
		case err != nil:
			return values{}, fmt.Errorf("%s: %w", s.name, err)
		case len(all[i]) == 0:
			return values{}, fmt.Errorf("no data in Prometheus for %q: %s", s.name, s.query)
		}
	}
	return p.arrange(all, until), nil
}

// over is a query's values by the seconds since the range's start.
func (f figures) over(ctx context.Context, query string, run promapi.Range) (map[string]float64, error) {
	found, _, _, err := f.QueryRange(ctx, query, run)
	if err != nil {
		return nil, err
	}
	matrix, ok := found.(model.Matrix)
	if !ok || len(matrix) > 1 {
		return nil, fmt.Errorf("not one series over time, but %d of %v", len(matrix), found.Type())
	}
	all := map[string]float64{}
	for _, s := range matrix {
		for _, v := range s.Values {
			all[fmt.Sprintf("%.0f", v.Timestamp.Time().Sub(run.Start).Seconds())] = float64(v.Value)
		}
	}
	return all, nil
}

// now is a query's values, by the label.
func (f figures) now(ctx context.Context, query string, by model.LabelName) (map[string]float64, error) {
	found, err := f.ask(ctx, query)
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for _, s := range found {
		all[string(s.Metric[by])] = float64(s.Value)
	}
	return all, nil
}

// arrange puts the series' values onto one x-axis, over time one that ends soon after the second until.
func (p picture) arrange(all []map[string]float64, until float64) values {
	var found values
	for _, s := range all {
		for label := range s {
			found.labels = append(found.labels, label)
		}
	}
	slices.SortFunc(found.labels, p.compare)
	found.labels = slices.Compact(found.labels)
	for _, s := range all {
		row := make([]float64, len(found.labels))
		below := 0.0
		for i, label := range found.labels {
			value, ok := s[label]
			switch {
			case !ok:
				row[i] = math.NaN()
			case p.buckets:
				row[i], below = value-below, value
			default:
				row[i] = value
			}
		}
		found.of = append(found.of, row)
	}
	if p.by == "" {
		found.fromZero(until)
	}
	return found
}

// fromZero has the seconds begin where the first series does, and end where the x-axis has a number, not before until.
func (v *values) fromZero(until float64) {
	v.every = 5 * (len(v.labels)/50 + 1)
	seconds := make([]int, len(v.labels))
	for i, label := range v.labels {
		seconds[i], _ = strconv.Atoi(label) // as over has made it
	}
	points := len(v.labels)
	for i := v.every; i < len(seconds); i += v.every {
		points = i + 1
		if float64(seconds[i]) >= until {
			break
		}
	}
	v.labels = v.labels[:points]
	for i := range v.labels {
		v.labels[i] = strconv.Itoa(seconds[i] - seconds[0])
	}
	for i := range v.of {
		v.of[i] = v.of[i][:points]
	}
}

// compare orders two labels of the x-axis: those in order, numbers, others.
func (p picture) compare(a, b string) int {
	rank := func(label string) float64 {
		if i := slices.Index(p.order, label); i >= 0 {
			return float64(i)
		}
		if n, err := strconv.ParseFloat(label, 64); err == nil {
			return n
		}
		return float64(len(p.order))
	}
	if by := rank(a) - rank(b); by < 0 {
		return -1
	} else if by > 0 {
		return 1
	}
	return slices.Compare([]byte(a), []byte(b))
}
