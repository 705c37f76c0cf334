package trial

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const prefix = "video_processing_"

// Books say what the metrics should show: a number for each series, and amounts in whole nano-dollars.
type books struct {
	mu     sync.Mutex
	counts map[string]float64
	nano   map[string]int64
}

func newBooks() *books {
	return &books{counts: make(map[string]float64), nano: make(map[string]int64)}
}

// series returns the name of a series as an exposition has it. Labels are pairs; those without a value
// are left out, as the metrics do.
func series(name string, labels ...string) string {
	var pairs []string
	for i := 0; i < len(labels); i += 2 {
		if labels[i+1] != "" {
			pairs = append(pairs, labels[i]+"="+strconv.Quote(labels[i+1]))
		}
	}
	slices.Sort(pairs)
	if len(pairs) == 0 {
		return prefix + name
	}
	return prefix + name + "{" + strings.Join(pairs, ",") + "}"
}

func (b *books) add(n float64, name string, labels ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts[series(name, labels...)] += n
}

func (b *books) pay(nano int64, name string, labels ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nano[series(name, labels...)] += nano
}

// invalid counts a value that cannot be recorded.
func (b *books) invalid(metric, reason string) {
	b.add(1, "invalid_values_total", "metric", "video.processing."+metric, "reason", reason)
}

// all returns every series with its value. Amounts are in dollars.
func (b *books) all() map[string]float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.counts)
	for name, nano := range b.nano {
		all[name] += float64(nano) / 1e9
	}
	return all
}

// shown reads an exposition. It leaves out what no books can have: buckets, sums of seconds, and series of
// jobs whose id was made for them.
func shown(t testing.TB, exposition string) map[string]float64 {
	t.Helper()
	all := make(map[string]float64)
	for line := range strings.Lines(exposition) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || !strings.HasPrefix(line, prefix) {
			continue
		}
		name, value, _ := strings.Cut(line[strings.LastIndex(line, "}")+1:], " ")
		name = line[:strings.LastIndex(line, "}")+1] + name
		bare, labels, _ := strings.Cut(name, "{")
		if strings.HasSuffix(bare, "_bucket") || strings.HasSuffix(bare, "_sum") && bare != prefix+"cost_per_job_usd_sum" ||
			strings.HasSuffix(bare, "timestamp_seconds") || strings.Contains(labels, `job_id="unnamed~`) {
			continue
		}
		if labels != "" {
			pairs := strings.Split(strings.TrimSuffix(labels, "}"), ",")
			slices.Sort(pairs)
			name = bare + "{" + strings.Join(pairs, ",") + "}"
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all[name] = v
	}
	return all
}

// differences lists the series in which two sets differ. A series that is not there is 0.
func differences(got, want map[string]float64) []string {
	names := make(map[string]bool)
	for name := range got {
		names[name] = true
	}
	for name := range want {
		names[name] = true
	}
	var diffs []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if g, w := got[name], want[name]; math.Abs(g-w) > 1e-9*max(1, math.Abs(g), math.Abs(w)) {
			diffs = append(diffs, fmt.Sprintf("%s is %v, the books say %v", name, g, w))
		}
	}
	return diffs
}

func compare(t testing.TB, got, want map[string]float64) {
	t.Helper()
	for _, d := range differences(got, want) {
		t.Error(d)
	}
}

// keep returns the series of these metrics that are not 0, without those that no event has: jobs that
// were queued.
func keep(all map[string]float64, names ...string) map[string]float64 {
	kept := make(map[string]float64)
	for series, v := range all {
		bare, _, _ := strings.Cut(series, "{")
		if slices.Contains(names, strings.TrimPrefix(bare, prefix)) && !strings.Contains(series, `status="queued"`) {
			kept[series] = v
		}
	}
	return kept
}
