package livepage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

// document is a report as a browser reads it.
type document struct {
	elements []*html.Node
	texts    []string // of all elements but scripts and styles
}

func parsePage(t *testing.T, text []byte) document {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var d document
	for n := range root.Descendants() {
		switch {
		case n.Type == html.ElementNode:
			d.elements = append(d.elements, n)
		case n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" && strings.TrimSpace(n.Data) != "":
			d.texts = append(d.texts, strings.TrimSpace(n.Data))
		}
	}
	return d
}

// all returns the elements of a name.
func (d document) all(name string) (found []*html.Node) {
	for _, n := range d.elements {
		if n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// inside returns what is in a script or a style.
func inside(t *testing.T, found []*html.Node) string {
	t.Helper()
	if len(found) == 0 || found[0].FirstChild == nil || found[0].FirstChild != found[0].LastChild {
		t.Fatalf("of %d elements the first is empty, or has more in it than text", len(found))
	}
	return found[0].FirstChild.Data
}

// data returns the snapshot that is in a report.
func (d document) data(t *testing.T) (s snapshot) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(inside(t, d.all("script"))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// written returns the report of a pipeline.
func written(t *testing.T, p *instrument.Pipeline, opts ...Option) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteReport(&out, p, opts...); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// snapshotOf returns what a report is made of.
func snapshotOf(s instrument.Snapshot) snapshot {
	b := builder{most: keep}
	out := b.build(s)
	out.KeepMost, out.Service = keep, service{Name: "editor", Instance: "worker-1:4711"}
	return out
}

func mustReport(t *testing.T, s snapshot) document {
	t.Helper()
	text, err := reportOf(s)
	if err != nil {
		t.Fatal(err)
	}
	return parsePage(t, text)
}

// What is in a report is a snapshot, with the last value of each field.
func TestReportHasTheSnapshot(t *testing.T) {
	want := snapshotOf(everything())
	got := mustReport(t, want).data(t)
	if a, b := marshal(t, got), marshal(t, want); !bytes.Equal(a, b) {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

// hostile returns text that would be markup, or end what it is in.
func hostile(what string) string {
	return what + `</script></style></td><script>alert(1)</script><img src=x onerror=alert(1)><!--{{.}}'"` + "`${x}\u2028\u2029&lt;"
}

// Whatever jobs, stages, APIs and errors are called, a report has the elements that it has of harmless names, and says
// the names as they are.
func TestHostileNamesInAReportAreText(t *testing.T) {
	named := func(name func(string) string) document {
		s := snapshotOf(everything())
		s.Service = service{Name: name("service"), Instance: name("instance"), Version: name("version")}
		s.Stages = []string{name("stage")}
		for _, jobs := range [][]job{s.Jobs, s.Finished} {
			for i := range jobs {
				j := &jobs[i]
				j.ID, j.Type, j.Trace, j.Error = name("id"), name("type"), name("trace"), name("error")
				for k := range j.Stages {
					j.Stages[k].Name, j.Stages[k].Error = name("stage"), name("error")
				}
				for k := range j.Calls {
					j.Calls[k].API, j.Calls[k].Stage, j.Calls[k].Error = name("api"), name("stage"), name("error")
				}
				for k := range j.Errors {
					j.Errors[k].Type, j.Errors[k].Stage = name("error"), name("stage")
				}
			}
		}
		for i := range s.Attention {
			s.Attention[i].Job, s.Attention[i].Text = name("id"), name("text")
		}
		for i := range s.APIs {
			s.APIs[i].API = name("api")
		}
		return mustReport(t, s)
	}
	harmless, bad := named(func(what string) string { return what }), named(hostile)
	names := func(d document) (all []string) {
		for _, n := range d.elements {
			all = append(all, n.Data)
		}
		return all
	}
	if got, want := names(bad), names(harmless); !slices.Equal(got, want) {
		t.Errorf("the elements are %q, want %q", got, want)
	}
	if got := bad.data(t).Finished[0]; got.ID != hostile("id") || got.Error != hostile("error") {
		t.Errorf("got %q and %q", got.ID, got.Error)
	}
	if !slices.Contains(bad.texts, hostile("id")) || !slices.Contains(bad.texts, "completed: "+hostile("error")) {
		t.Errorf("the texts are %q", bad.texts)
	}
	if raw := inside(t, bad.all("script")); strings.ContainsAny(raw, "<>&\u2028\u2029") {
		t.Error("the data has markup")
	}
	if script := inside(t, bad.all("script")[1:]); script != inside(t, harmless.all("script")[1:]) {
		t.Error("the script has something of a name")
	}
}

// cells returns the table that is shown where no script runs: its rows, of which the first are the headings.
func (d document) cells() (rows [][]string) {
	for _, tr := range d.all("tr") {
		var row []string
		for cell := range tr.ChildNodes() {
			var text strings.Builder
			for n := range cell.Descendants() {
				if n.Type == html.TextNode {
					text.WriteString(n.Data)
				}
			}
			row = append(row, text.String())
		}
		rows = append(rows, row)
	}
	return rows
}

func TestReportWithoutScripts(t *testing.T) {
	s := everything()
	s.Ended = append(s.Ended, instrument.JobState{
		JobRef: instrument.JobRef{ID: "broken", Run: 9}, Start: ago(90 * time.Second), End: ago(89 * time.Second), Cost: 7 * instrument.Cent,
		Outcome: instrument.Outcome{Attempt: semconv.OutcomeFailed, Status: semconv.JobStatusFailed, ErrorType: "no_space"},
	})
	s.Ended = append(s.Ended, instrument.JobState{
		JobRef: instrument.JobRef{ID: "stopped", Run: 10}, Start: ago(80 * time.Second), End: ago(20 * time.Second), Unpriced: 3,
		Outcome: instrument.Outcome{Attempt: semconv.OutcomeCanceled, Status: semconv.JobStatusCanceled, ErrorType: "canceled"},
	})
	s.EndedJobs += 2
	d := mustReport(t, snapshotOf(s))
	want := [][]string{
		{"Job", "Status", "Started", "Took", "Cost"},
		{"lecture-8", "retried: timeout", "2026-11-27 12:30:00 UTC", "1 h 01 m", "unpriced"},
		{"lecture-9", "completed", "2026-11-27 13:50:00 UTC", "10 m 00 s", "$10000000.00"},
		{"podcast-118", "unfinished", "2026-11-27 14:25:00 UTC", "5 m 00 s", "$0.31 + 1 unpriced"},
		{"broken", "failed: no_space", "2026-11-27 14:28:30 UTC", "1 s", "$0.07"},
		{"stopped", "canceled", "2026-11-27 14:28:40 UTC", "1 m 00 s", "unpriced"},
	}
	if got := d.cells(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if !slices.Contains(d.texts, "1 of 5 completed; older jobs are not kept") {
		t.Errorf("the texts are %q", d.texts)
	}
	if d = mustReport(t, snapshotOf(instrument.Snapshot{Time: now})); !slices.Contains(d.texts, "No job was kept.") {
		t.Errorf("of nothing the texts are %q", d.texts)
	}
}

// A report has every job of a pipeline with its details, ended or not.
func TestReportOfAPipeline(t *testing.T) {
	p := newPipeline(t, instrument.WithHistory(keep))
	for i := range 150 {
		err := p.RunJob(t.Context(), fmt.Sprint("job-", i), func(ctx context.Context) error {
			return instrument.RunStage(ctx, "rendering", func(ctx context.Context) error {
				_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(instrument.Cent))
				if err != nil {
					return err
				}
				call.End(nil)
				if i == 7 {
					return errors.New("no")
				}
				return nil
			})
		})
		if (err != nil) != (i == 7) {
			t.Fatal(err)
		}
	}
	ctx, live := p.StartJob(t.Context(), "live")
	defer live.End(nil)
	_, stage := instrument.StartStage(ctx, "export")
	defer stage.End(nil)

	d := parsePage(t, written(t, p))
	s := d.data(t)
	if len(s.Finished) != 150 || len(s.Jobs) != 1 || s.Kept != 150 || s.Service.Name == "" {
		t.Fatalf("%d finished and %d live jobs of %q", len(s.Finished), len(s.Jobs), s.Service.Name)
	}
	if j := s.Finished[0]; j.ID != "job-149" || len(j.Stages) != 1 || len(j.Calls) != 1 || j.Spent == nil || *j.Spent != amount(instrument.Cent) {
		t.Errorf("the last job is %+v", j)
	}
	if j := s.Finished[142]; j.ID != "job-7" || j.Status != "failed" || len(j.Errors) != 1 {
		t.Errorf("the failed job is %+v", j)
	}
	rows := d.cells()
	if len(rows) != 152 || rows[1][0] != "job-0" || rows[151][0] != "live" || rows[151][1] != "unfinished" {
		t.Errorf("%d rows, the last %q", len(rows), rows[len(rows)-1])
	}
}

// A report says which jobs are missing.
func TestReportSaysWhatItLacks(t *testing.T) {
	for _, c := range []struct {
		live, ended int
		forgotten   time.Time
		want        string
	}{
		{0, 0, time.Time{}, "0 of 0 completed"},
		{3, 1000, time.Time{}, "0 of 1003 completed"},
		{1003, 0, time.Time{}, "0 of 1000 completed; 3 more are not in this file"},
		{0, 1, ago(2 * time.Hour), "0 of 1 completed; older jobs are not kept"},
		{1001, 1500, ago(time.Minute), "0 of 2000 completed; 501 more are not in this file; older jobs are not kept"},
	} {
		s := manyJobs(c.live, func(int, *instrument.JobState) {})
		s.EndedJobs, s.Forgotten = c.ended, c.forgotten
		for i := range min(c.ended, keep) {
			s.Ended = append(s.Ended, instrument.JobState{JobRef: instrument.JobRef{Run: uint64(5000 - i)}, Start: ago(time.Hour), End: now,
				Outcome: instrument.Outcome{Attempt: semconv.OutcomeFailed, Status: semconv.JobStatusFailed}})
		}
		d := mustReport(t, snapshotOf(s))
		if !slices.Contains(d.texts, c.want) {
			t.Errorf("%+v: the texts are %q", c, d.texts[:min(len(d.texts), 8)])
		}
	}
}

func TestReportRedacts(t *testing.T) {
	p := newPipeline(t, instrument.WithHistory(keep))
	_ = p.RunJob(t.Context(), "acme-1", func(context.Context) error { return nil })
	text := written(t, p, WithRedact(func(string) string { return "#1" }))
	if bytes.Contains(text, []byte("acme")) || parsePage(t, text).data(t).Finished[0].ID != "#1" {
		t.Error("the id is in the report")
	}
	text = written(t, p, WithRedact(func(string) string { panic("redact") }))
	if bytes.Contains(text, []byte("acme")) || parsePage(t, text).data(t).Finished[0].ID != hidden {
		t.Error("the id is in the report of a function that panics")
	}
}

// writer counts what is written, and may fail.
type writer struct {
	bytes.Buffer
	calls int
	err   error
}

func (w *writer) Write(text []byte) (int, error) {
	w.calls++
	if w.err != nil {
		return 0, w.err
	}
	return w.Buffer.Write(text)
}

// What is wrong is an error, and the report is written all the same, at once.
func TestReportErrors(t *testing.T) {
	p := newPipeline(t)
	for reason, c := range map[string]struct {
		p    *instrument.Pipeline
		opts []Option
		says string
	}{
		"no pipeline":    {nil, nil, "the pipeline is nil"},
		"a nil option":   {p, []Option{nil}, "a nil Option is ignored"},
		"redact nothing": {p, []Option{WithRedact(nil)}, "WithRedact(nil) is ignored"},
	} {
		var w writer
		err := WriteReport(&w, c.p, c.opts...)
		if err == nil || !strings.Contains(err.Error(), c.says) || w.calls != 1 {
			t.Errorf("%s: error %v after %d writes", reason, err, w.calls)
		}
		if s := parsePage(t, w.Bytes()).data(t); len(s.Jobs) != 0 || len(s.Finished) != 0 {
			t.Errorf("%s: the report has jobs", reason)
		}
	}
	w := writer{err: fs.ErrPermission}
	if err := WriteReport(&w, p); !errors.Is(err, fs.ErrPermission) || w.calls != 1 {
		t.Errorf("error %v after %d writes", err, w.calls)
	}
}
