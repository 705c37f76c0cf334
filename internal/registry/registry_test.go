package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
	"github.com/stagemeter/stagemeter/semconv"
)

// A caller that sorts, cuts or fills what it got does not change what the next one gets.
func TestCallersOwnWhatTheyGet(t *testing.T) {
	before := fmt.Sprint(registry.Metrics())
	for _, m := range registry.Metrics() {
		clear(m.Buckets)
		clear(m.RecordedBy)
		for _, a := range m.Attributes {
			clear(a.Values)
		}
		clear(m.Attributes)
	}
	if after := fmt.Sprint(registry.Metrics()); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
}

// A metric has the status of a job or of a call, never of both.
func TestStatusIsOfAJobOrOfACall(t *testing.T) {
	var ofJob, ofCall []string
	for _, v := range semconv.JobStatusValues() {
		ofJob = append(ofJob, string(v))
	}
	for _, v := range semconv.CallStatusValues() {
		ofCall = append(ofCall, string(v))
	}
	for _, m := range registry.Metrics() {
		for _, a := range m.Attributes {
			if a.Key == semconv.AttrStatus && !within(a.Values, ofJob) && !within(a.Values, ofCall) {
				t.Errorf("%s takes the status %q", m.Name, a.Values)
			}
		}
	}
}

func within(values, of []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(of, v) })
}

// HELP is read on a dashboard, by somebody who cannot ask back.
func TestBriefs(t *testing.T) {
	seen := map[string]string{}
	for _, m := range registry.Metrics() {
		if other, ok := seen[m.Brief]; ok {
			t.Errorf("%s and %s have the same brief", m.Name, other)
		}
		seen[m.Brief] = m.Name
		units := map[string]string{"s": "seconds", "usd": "US dollars", "lu": "LU", "db": "decibels"}
		if unit, ok := units[m.Unit]; ok && !strings.Contains(m.Brief, unit) {
			t.Errorf("%s: the brief %q does not say that it is in %s", m.Name, m.Brief, unit)
		}
	}
}
