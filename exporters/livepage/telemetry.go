package livepage

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
)

// The states of a row.
const (
	well = "ok"
	warn = "warn"
	bad  = "bad"
)

// telemetryOf describes the health of the telemetry itself in words.
func telemetryOf(h exporters.Health, now int64) *telemetry {
	ago := func(t time.Time) string { return span(time.Duration(now-ms(t))*time.Millisecond) + " ago" }
	t := &telemetry{OK: true}
	add := func(name, value, state string) {
		t.Rows = append(t.Rows, row{name, value, state})
		if state == bad {
			t.OK = false
		}
	}
	switch s := h.Scrape; s.State {
	case exporters.HealthOff:
		add("Scrapes", "off", "")
	case exporters.HealthUntried:
		add("Scrapes", "none yet", "")
		t.Text = "not scraped yet"
	case exporters.HealthFails:
		add("Scrapes", "failing: "+s.LastError, bad)
		t.Text = "scrapes fail"
	default:
		add("Scrapes", fmt.Sprintf("%s · %.1f ms · %s series", count(s.Successes), float64(s.Duration.Microseconds())/1000, count(s.Series)), "")
		t.Text = "scraped " + ago(s.LastSuccess)
	}
	pushRow := func(name string, p exporters.PushHealth) {
		switch p.State {
		case exporters.HealthOff:
			return
		case exporters.HealthUntried:
			add(name, "nothing sent yet", "")
			t.Text = join(t.Text, name+" not sent yet")
			return
		case exporters.HealthFails:
			text := "failing: " + p.LastError
			if !p.LastSuccess.IsZero() {
				text = "delivered " + ago(p.LastSuccess) + ", since then " + text
			}
			add(name, text, bad)
			t.Text = join(t.Text, name+" fail")
			return
		}
		state, text := well, fmt.Sprintf("delivered %s, 0 failures", ago(p.LastSuccess))
		if p.Failures > 0 {
			state, text = warn, fmt.Sprintf("delivered %s, %s failures earlier", ago(p.LastSuccess), count(p.Failures))
		}
		add(name, text, state)
		t.Text = join(t.Text, fmt.Sprintf("%s delivered %s", name, ago(p.LastSuccess)))
	}
	pushRow("OTLP metrics", h.Metrics)
	pushRow("OTLP traces", h.Traces)
	if h.Spans.QueueSize > 0 {
		state := well
		if h.Spans.Dropped > 0 {
			state = warn
		}
		add("Spans dropped", fmt.Sprintf("%s of %s", count(h.Spans.Dropped), count(h.Spans.Dropped+h.Spans.Sent+h.Spans.Queued+h.Spans.Sending)), state)
	}
	if over := h.Series.OverLimit; len(over) > 0 {
		add("Metrics over the limit", strings.Join(over, ", "), warn)
	} else if !h.Series.LastCollection.IsZero() {
		add("Metrics over the limit", "0", well)
	}
	if t.Text == "" {
		t.Text = "neither scraped nor sent"
	}
	return t
}

// hideErrors removes the texts of errors, which may contain ids: that of a failing scrape may name
// the series of a job.
func hideErrors(h *exporters.Health) {
	for _, text := range []*string{&h.Scrape.LastError, &h.Metrics.LastError, &h.Traces.LastError} {
		if *text != "" {
			*text = "see the log"
		}
	}
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// count writes a number with commas.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
