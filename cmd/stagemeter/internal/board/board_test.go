package board

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
)

var now = time.UnixMilli(1795800000000)

func read(t *testing.T, text string) *feed.Snapshot {
	t.Helper()
	s := new(feed.Snapshot)
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func busy(t *testing.T) *feed.Snapshot {
	t.Helper()
	text, err := os.ReadFile("../../../../exporters/livepage/testdata/page.json")
	if err != nil {
		t.Fatal(err)
	}
	return read(t, string(text))
}

func of(t *testing.T, addresses ...string) *Board {
	t.Helper()
	var urls []*url.URL
	for _, a := range addresses {
		u, err := feed.ParseAddress(a)
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, u)
	}
	return New(urls)
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ addresses, want string }{
		{"localhost", "localhost:9099"},
		{"a b:9099 c:9099/ops", "a b c/ops"},
		{"a b:80", "a:9099 b:80"},
		{"http://a:1 https://a:1", "http://a:1 https://a:1"},
		{"a/x/ a/y/", "a/x a/y"},
	} {
		var got []string
		for _, w := range of(t, strings.Fields(tt.addresses)...).Workers {
			got = append(got, w.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s are %q, want %s", tt.addresses, got, tt.want)
		}
	}
}

func TestOrders(t *testing.T) {
	b := of(t, "localhost")
	b.Answer(0, now, "", read(t, `{"now":1000,"jobs":[
		{"id":"young","start":900,"spent":3,"eta":{"left":10}},
		{"id":"old","start":100,"spent":null,"unpriced":1},
		{"id":"near","start":500,"budget":{"limit":10,"spent":9},"eta":{"left":30}},
		{"id":"over","start":800,"budget":{"limit":10,"spent":11},"eta":{"left":20}},
		{"id":"overdue","start":700,"overdue":2,"spent":0},
		{"id":"stalled","start":950,"stalled":960,"spent":1}]}`), nil)
	for order, want := range map[string]string{
		ByNeed: "stalled overdue over near old young",
		ByAge:  "old near overdue over young stalled",
		ByCost: "over near young stalled overdue old",
		ByETA:  "young over near old overdue stalled",
		ByID:   "near old over overdue stalled young",
	} {
		var got []string
		for _, r := range b.Rows("", order) {
			got = append(got, string(r.Job.ID))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s: %s, want %s", order, strings.Join(got, " "), want)
		}
	}
	if len(Orders) != 5 {
		t.Errorf("%d orders", len(Orders))
	}
}

// Clocks of workers differ: the older job comes first, not the one of the slower clock.
func TestAgesAreByTheWorkersClock(t *testing.T) {
	b := of(t, "a", "b")
	b.Answer(0, now, "", read(t, `{"now":9000,"jobs":[{"id":"younger","start":8000}]}`), nil)
	b.Answer(1, now, "", read(t, `{"now":99000,"jobs":[{"id":"older","start":90000}]}`), nil)
	if rows := b.Rows("", ByAge); rows[0].Job.ID != "older" {
		t.Errorf("first is %s", rows[0].Job.ID)
	}
}

func TestMatch(t *testing.T) {
	b := of(t, "encoder", "other")
	if got := b.Match(0, "x"); got != "" {
		t.Errorf("before any answer: %q", got)
	}
	cut := read(t, `{"running":300,"jobs":[{"id":"a"},{"id":"b"}]}`)
	b.Answer(0, now, "", cut, nil)
	b.Answer(1, now, "", read(t, `{"running":1,"jobs":[{"id":"a"}]}`), nil)
	if x, y, z := b.Match(0, "x"), b.Match(1, "x"), b.Match(0, "ENC"); x != "x" || y != "" || z != "" {
		t.Errorf("%q, %q, %q", x, y, z)
	}
	b.Answer(0, now, "x", read(t, `{"running":300,"jobs":[]}`), nil)
	if got := b.Match(0, "y"); got != "y" {
		t.Errorf("after a filtered answer: %q", got)
	}
}

func TestSumsOfManyWorkers(t *testing.T) {
	b := of(t, "a", "b", "c", "d")
	b.Answer(0, now, "", read(t, `{"running":1,"jobs":[{}],"hour":{"completed":1,"spent":"9223372036854775807"},"budget":{"limit":10,"spent":1}}`), nil)
	b.Answer(1, now, "", read(t, `{"running":2,"jobs":[{},{}],"hour":{"failed":2,"spent":5,"unpriced":1}}`), nil)
	b.Answer(2, now, "", read(t, `{"hour":{"spent":null}}`), nil)
	b.Answer(3, now, "", nil, errors.New("gone"))
	got := b.Summary(3).String()
	if want := "3 running  ·  last hour: 1 completed, 2 failed, $9,223,372,036.85 + 1 unpriced call"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := b.Who(); got != "4 workers, 1 lost" {
		t.Error(got)
	}
}

// The most urgent come first, whoever's they are; what a lost worker said is left out.
func TestAttention(t *testing.T) {
	b := of(t, "a", "b", "c")
	b.Answer(0, now, "", read(t, `{"attention":[{"kind":"over_budget","job":"x","text":"has spent"},{"kind":"new","job":"n","text":"t"}]}`), nil)
	b.Answer(1, now, "", read(t, `{"attention":[{"kind":"stalled","job":"y","text":"stuck"}]}`), nil)
	b.Answer(2, now, "", read(t, `{"attention":[{"kind":"stalled","job":"z","text":"stuck"}]}`), nil)
	b.Answer(2, now, "", nil, errors.New("gone"))
	var got []string
	for _, l := range b.Attention() {
		got = append(got, l.String())
	}
	if want := []string{"‖ b y: stuck", "$ a x: has spent", "! a n: t"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if lines := AtMost(b.Attention(), 2); len(lines) != 2 || lines[1].String() != "  and 2 more" {
		t.Errorf("%v", lines)
	}
}

func TestDone(t *testing.T) {
	for job, want := range map[string]string{
		`{"progress":0.5}`: "50 %",
		`{"progress":0}`:   "0 %",
		`{"progress":null,"stages":[{"progress":0.4}]}`:                         "stage 40 %|unknown",
		`{"progress":null,"stages":[{"progress":0.4,"end":1},{"name":"next"}]}`: "unknown",
	} {
		var j feed.Job
		if err := json.Unmarshal([]byte(job), &j); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(doneTexts(&j), "|"); got != want {
			t.Errorf("%s is %s, want %s", job, got, want)
		}
	}
	for share, want := range map[float64]string{0: "░░░░", 1: "████", 0.5: "██░░", 0.6: "██▍░", -1: "░░░░", 2: "████"} {
		if got := bar(share, 4); got != want {
			t.Errorf("%v is %s, want %s", share, got, want)
		}
	}
}

func TestSpent(t *testing.T) {
	for _, tt := range []struct{ job, want string }{
		{`{"spent":0}`, "$0|$0|…"},
		{`{"spent":null,"unpriced":2}`, "unpriced|unpriced|…"},
		{`{"spent":312000000,"unpriced":2}`, "$0.312 + 2 unpriced|≥ $0.312|…"},
		{`{"spent":1,"budget":{"limit":2000000000,"spent":312000000,"held":20000000}}`, "$0.312 + $0.02 held of $2.00|$0.312 of $2.00|$0.312 of $2.00|$0.312|…"},
		{`{"spent":null,"unpriced":1,"budget":{"limit":2000000000,"spent":0}}`, "$0 + 1 unpriced of $2.00|≥ $0 of $2.00|≥ $0|…"},
	} {
		var j feed.Job
		if err := json.Unmarshal([]byte(tt.job), &j); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(spentTexts(&j), "|"); got != tt.want {
			t.Errorf("%s is %s, want %s", tt.job, got, tt.want)
		}
	}
}

// As many marks as fit, the most urgent first, and how many are left.
func TestMarks(t *testing.T) {
	var j feed.Job
	if err := json.Unmarshal([]byte(`{"stalled":1000,"overdue":1.84,"attempt":2,"max_attempts":3,"unpriced":4,"budget":{"limit":100,"spent":85}}`), &j); err != nil {
		t.Fatal(err)
	}
	all := marksOf(Row{Job: &j, Now: 49_000, Lost: true})
	if got, want := marksText(all, 200), "✕ worker lost  ‖ stalled 48 s  ◔ 1.8× its usual  $ 85 % of budget  ↻ attempt 2 of 3  ? 4 unpriced"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for width, want := range map[int]string{60: "✕ lost ‖ stalled ◔ overdue $ 85 % ↻ try 2 ? unpriced", 30: "✕ lost ‖ stalled ◔ overdue +3", 9: "✕ lost +5", 6: "✕ lost", 3: "✕", 0: ""} {
		if got := marksText(all, width); got != want {
			t.Errorf("in %d cells: %q, want %q", width, got, want)
		}
	}
	if got := marksText(nil, 9); got != "" {
		t.Error(got)
	}
}

func TestLineCut(t *testing.T) {
	l := Line{{"ab", Bad}, {"界c", Soft}, {"  ", Normal}}
	for width, want := range map[int]string{9: "ab界c", 5: "ab界c", 4: "ab…", 3: "ab…", 2: "a…", 1: "…", 0: ""} {
		cut := l.Cut(width)
		if got := cut.String(); got != want || cut.Width() > width {
			t.Errorf("in %d cells: %q, want %q", width, got, want)
		}
	}
}

// From 60 cells on the columns fit, none is narrower than what it shows, and all is used that helps.
func TestWidths(t *testing.T) {
	for _, workers := range [][]string{{"a"}, {"a", "a-worker-with-a-long-name.example.com"}} {
		b := of(t, workers...)
		for cells := 60; cells <= 200; cells++ {
			w := b.widths(cells)
			sum := 1 // the pointer, with the space that the last column lacks
			for i, n := range w {
				if n > 0 {
					sum += n + 1
				}
				if n < narrowest[i] && i != colWorker {
					t.Errorf("%d workers in %d cells: column %s has %d", len(workers), cells, titles[i], n)
				}
			}
			if sum > cells || sum < cells-8 && cells > 61 {
				t.Errorf("%d workers in %d cells: %v take %d", len(workers), cells, w, sum)
			}
			if cells >= 120 && (w[colAge] == 0 || w[colDone] < 12 || w[colSpent] < 16 || w[colMarks] < 9 || w[colID] < 18) {
				t.Errorf("%d workers in %d cells: %v", len(workers), cells, w)
			}
		}
	}
}

func TestPlain(t *testing.T) {
	b := of(t, "a", "b")
	b.Answer(0, now, "", busy(t), nil)
	b.Answer(1, now, "", nil, errors.New("connection refused"))
	var text strings.Builder
	if err := b.Plain(&text, append(b.Lost(now), b.Attention()...), b.Rows("", ByNeed)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	if lines[0] != "✕ b does not answer: connection refused" || !strings.HasPrefix(lines[5], "WORKER  JOB ") || len(lines) != 14 || strings.Contains(text.String(), "\x1b") {
		t.Errorf("%d lines:\n%s", len(lines), text.String())
	}
	if want := "a       podcast-ep-118                                 transcription        48 %     4 m 51 s  ≈ 2 m 15 s, up to 5 m 15 s  $0.871 + $0.09 held of $1.00  ◔ 1.8× its usual  $ 87 % of budget  ↻ attempt 2 of 3"; lines[7] != want {
		t.Errorf("%s, want\n%s", lines[7], want)
	}
	at := ansi.StringWidth(lines[5][:strings.Index(lines[5], "TIME")])
	for _, l := range lines[6:13] {
		if cell := ansi.Cut(l, at, at+7); cell != "unknown" && !strings.HasPrefix(cell, "≈ ") {
			t.Errorf("the columns differ: %q in %s", cell, l)
		}
	}
	text.Reset()
	_ = b.Plain(&text, nil, nil)
	if got := text.String(); got != "No job matches. 7 running.\n" {
		t.Error(got)
	}
}

func TestJSON(t *testing.T) {
	b := of(t, "a", "b", "c")
	b.Answer(0, now, "", read(t, `{"now":5,"running":2,"service":{"name":"x\u001b[31m","instance":"i"},"attention":[{"kind":"stalled","run":"1","job":"j","text":"t"}],
		"jobs":[{"run":"1","id":"\u001b]0;\u009b\u202e\u2028<é界👍>","brand_new":{"a":[1]},"spent":"9223372036854775807"},{}]}`), nil)
	b.Answer(1, now, "", read(t, `{"jobs":[{"id":"old"}]}`), nil)
	b.Answer(1, now, "", nil, errors.New("gone"))
	text, err := b.JSON(b.Rows("", ByID), now)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), "\n") != 1 || strings.ContainsAny(string(text), "\x1b\u009b\u202e\u2028") {
		t.Errorf("%q", text)
	}
	var doc struct {
		V         int
		Time      int64
		Workers   []map[string]any
		Jobs      []map[string]any
		Attention []map[string]any
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if doc.V != 1 || doc.Time != now.UnixMilli() || len(doc.Workers) != 3 || len(doc.Jobs) != 2 || len(doc.Attention) != 1 {
		t.Fatalf("%s", text)
	}
	if got := doc.Jobs[1]; got["worker"] != "http://a:9099/" || got["id"] != "\x1b]0;\u009b\u202e\u2028<é界👍>" || fmt.Sprint(got["brand_new"]) != "map[a:[1]]" || got["spent"] != "9223372036854775807" {
		t.Errorf("a job is %v", got)
	}
	if got := doc.Jobs[0]; len(got) != 1 || got["worker"] != "http://a:9099/" {
		t.Errorf("an empty job is %v", got)
	}
	if w := doc.Workers; w[0]["state"] != "live" || w[0]["running"] != 2.0 || w[0]["listed"] != 2.0 || w[1]["state"] != "lost" || w[1]["error"] != "gone" || w[2]["state"] != "waiting" || w[2]["running"] != nil {
		t.Errorf("%v", w)
	}
	if a := doc.Attention[0]; a["worker"] != "http://a:9099/" || a["job"] != "j" {
		t.Errorf("%v", a)
	}
}
