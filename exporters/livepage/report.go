package livepage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// WriteReport writes one HTML file about the jobs of p: the last 1,000 that ended, and up to 1,000
// live ones, as unfinished. It shows the timeline, cost and quality of the run, and the stages,
// beside their usual length, the paid calls, the trace id and the errors of each job. The file
// needs nothing else: it opens from a disk or a ticket, fetches nothing, and prints with all jobs
// unfolded. Where no script may run, it is a table of the jobs.
//
//	p.KeepHistory(1000) // before the first job
//	…
//	err := livepage.WriteReport(file, p)
//
// It has only the jobs that p has kept; see [instrument.Pipeline.KeepHistory], which [Mount] and
// [New] call. It needs no server and no telemetry. [WithRedact] applies; [WithFleet] has no effect.
// A file has some 100 KB, and 2 KB more for each job with 5 stages and 4 calls.
//
// The error is that of w, or names options that are ignored or a nil p; then the report is written
// all the same. WriteReport is safe for concurrent use, and calls w.Write once.
func WriteReport(w io.Writer, p *instrument.Pipeline, opts ...Option) error {
	page, wrong := newPage(nil, p, opts)
	b := page.builder
	b.most = keep
	s := b.build(p.Snapshot(instrument.Query{Limit: keep}))
	s.KeepMost, s.Service = keep, page.service
	text, err := reportOf(s)
	if err == nil {
		_, err = w.Write(text)
	}
	return errors.Join(wrong, err)
}

// report is the data of page/report.html.
type report struct {
	Policy   string
	Style    template.CSS
	Script   template.JS
	Data     template.JS
	Service  service
	At       string
	Jobs     []reportJob
	More     string // which jobs are missing; "": none
	Complete int
}

// reportJob is a job as it is shown where no script runs.
type reportJob struct{ ID, Look, Status, Started, Took, Cost string }

func reportOf(s snapshot) ([]byte, error) {
	parts, err := reportParts()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(s) // which writes <, >, &, U+2028 and U+2029 as escapes
	if err != nil {
		return nil, fmt.Errorf("livepage: %w", err)
	}
	r := report{
		Policy: parts.policy, Style: template.CSS(parts.style), Script: template.JS(parts.script), Data: template.JS(data),
		Service: s.Service, At: moment(s.Now), More: absent(s),
	}
	all := slices.Concat(s.Finished, s.Jobs)
	slices.SortFunc(all, func(x, y job) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(len(x.Run), len(y.Run)), cmp.Compare(x.Run, y.Run)) // runs are numbers
	})
	for _, j := range all {
		r.Jobs = append(r.Jobs, reportJobOf(j, s.Now))
		if j.Status == "completed" {
			r.Complete++
		}
	}
	var out bytes.Buffer
	if err := parts.page.Execute(&out, r); err != nil {
		return nil, fmt.Errorf("livepage: %w", err)
	}
	return out.Bytes(), nil
}

// absent returns which jobs are missing in a report, or "" if none can be.
func absent(s snapshot) string {
	var text []string
	if more := s.Running - len(s.Jobs) + s.Kept - len(s.Finished); more > 0 {
		text = append(text, count(int64(more))+" more are not in this file")
	}
	if s.Forgotten != 0 {
		text = append(text, "older jobs are not kept")
	}
	return strings.Join(text, "; ")
}

func reportJobOf(j job, now int64) reportJob {
	out := reportJob{ID: j.ID, Look: "off", Status: j.Status, Started: moment(j.Start), Cost: "unpriced"}
	switch j.Status {
	case "":
		out.Status, out.Look = "unfinished", warn
	case "completed":
		out.Look = well
	case "failed":
		out.Look = bad
	}
	if j.Error != "" && j.Error != j.Status {
		out.Status += ": " + j.Error
	}
	out.Took = span(time.Duration(cmp.Or(j.End, now)-j.Start) * time.Millisecond)
	if j.Spent != nil {
		out.Cost = instrument.USD(*j.Spent).String()
		if j.Unpriced > 0 {
			out.Cost += fmt.Sprintf(" + %s unpriced", count(int64(j.Unpriced)))
		}
	}
	return out
}

// moment writes a time, in UTC, in a form that readers of every country understand.
func moment(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05 UTC") }
