package scrape

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/corpus"
)

// compare returns the differences of got from the reference, except in unsettled metrics. It
// compares values, exemplars and comments, in any order. It does not compare the values that the
// handler counts about itself: both scrapes add to them.
func compare(reference, got page, unsettled map[string]corpus.Reasons) (diffs []string) {
	names := map[string]bool{}
	for _, p := range []page{reference, got} {
		for name := range p.families {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		want, have := reference.families[name], got.families[name]
		switch reasons := unsettled[name]; {
		case reasons.Has(corpus.TypeOfSeveral | corpus.HelpAfterNone):
		case want == nil:
			diffs = append(diffs, fmt.Sprintf("%s is not in the reference: %v", name, have.order))
		case have == nil:
			diffs = append(diffs, fmt.Sprintf("%s is missing: %v", name, want.order))
		default:
			diffs = append(diffs, want.compare(have, reasons)...)
		}
	}
	return diffs
}

// compare returns the differences of got from the reference f.
func (f *family) compare(got *family, reasons corpus.Reasons) (diffs []string) {
	if f.typ != got.typ || f.unit != got.unit {
		diffs = append(diffs, fmt.Sprintf("%s: type %q and unit %q, want %q and %q", f.name, got.typ, got.unit, f.typ, f.unit))
	}
	twice := reasons.Has(corpus.SeriesTwice)
	if f.help != got.help && !reasons.Has(corpus.HelpOfSeveral) {
		diffs = append(diffs, fmt.Sprintf("%s: help %q, want %q", f.name, got.help, f.help))
	}
	for _, key := range slices.Sorted(maps.Keys(f.samples)) {
		want := f.samples[key]
		have, ok := got.samples[key]
		if reasons.Has(corpus.ExemplarsAnew) {
			want.exemplar, have.exemplar, want.at, have.at = "", "", 0, 0
		}
		switch {
		case twice && strings.HasSuffix(want.name, "_bucket"):
			// Two histograms may have differing bounds.
		case !ok:
			diffs = append(diffs, fmt.Sprintf("%s is missing", key))
		case twice || want.name == "promhttp_metric_handler_errors_total":
		case !want.equal(have):
			diffs = append(diffs, fmt.Sprintf("%s is %v %s %v, want %v %s %v", key, have.value, have.exemplar, have.at, want.value, want.exemplar, want.at))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got.samples)) {
		if _, ok := f.samples[key]; !ok && (!twice || !strings.HasSuffix(got.samples[key].name, "_bucket")) {
			diffs = append(diffs, fmt.Sprintf("%s is not in the reference", key))
		}
	}
	return diffs
}

// checkShape checks what a comparison of sets does not. The families are sorted, except for the
// handler's own. The buckets of each histogram are sorted, add up, and end with +Inf.
func checkShape(t *testing.T, p page) {
	t.Helper()
	order := slices.DeleteFunc(slices.Clone(p.order), func(name string) bool { return name == "promhttp_metric_handler_errors_total" })
	if !slices.IsSorted(order) {
		t.Errorf("families are not sorted: %q", order)
	}
	for _, f := range p.families {
		if len(f.samples) == 0 {
			t.Errorf("%s has no sample", f.name)
		}
		if f.typ == "histogram" {
			f.checkBuckets(t)
		}
	}
}

// checkBuckets expects the samples of each series of a histogram in this order: buckets, sum,
// count.
func (f *family) checkBuckets(t *testing.T) {
	t.Helper()
	var bound, count float64
	var buckets int
	var of string
	for _, key := range f.order {
		s := f.samples[key]
		labels := maps.Clone(s.labels)
		delete(labels, "le")
		series := labelText(labels)
		switch s.name {
		case f.name + "_bucket":
			le := parseBound(t, s.labels["le"])
			if buckets > 0 && (series != of || le <= bound || s.value < count) {
				t.Errorf("%s after %s: bound %v after %v, count %v after %v", key, of, le, bound, s.value, count)
			}
			of, bound, count = series, le, s.value
			buckets++
		case f.name + "_sum":
			if buckets == 0 || series != of || f.samples[f.name+"_bucket"+withBound(labels, "+Inf")].name == "" {
				t.Errorf("%s after %d buckets of %s, of which +Inf is one", key, buckets, of)
			}
		case f.name + "_count":
			if series != of || s.value < count { // more: with a bound of +Inf a NaN is in none
				t.Errorf("%s is %v, its last bucket %v", key, s.value, count)
			}
			buckets = 0
		}
	}
}
