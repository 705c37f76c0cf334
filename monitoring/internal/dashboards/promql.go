package dashboards

import (
	"fmt"
	"strings"
)

// byBound adds up the buckets in expr by their bound le and by other labels. A scrape stores le="2.0", Prometheus's
// OTLP receiver le="2": without this they would be two buckets, or worse, two rows of one heatmap. The inner label
// keeps apart what differs in nothing else, which Prometheus would refuse: the same program before and after an
// upgrade that changed the spelling.
func byBound(expr string, by ...string) string {
	return fmt.Sprintf(
		`sum by (%s) (label_replace(label_replace(%s, "spelling", "$1", "le", "(.+)"), "le", "$1", "le", "(.+)\\.0"))`,
		strings.Join(by, ", "), expr)
}

// quantile estimates a quantile from 0 to 1 of a histogram of values that are not negative, over the labels by. Where
// nothing was observed histogram_quantile gives NaN, which no comparison holds for: ">= 0" leaves it out. The bounds
// need no byBound, as histogram_quantile takes le for the number that it is.
func quantile(q float64, histogram, matchers string, by ...string) string {
	return fmt.Sprintf("histogram_quantile(%g, sum by (%s) (rate(@%s:bucket%s[$__rate_interval]))) >= 0",
		q, strings.Join(append(by, "le"), ", "), histogram, matchers)
}

// quantiles are P50, P95 and P99 over all series.
func quantiles(histogram, matchers string) []query {
	return []query{
		{quantile(0.50, histogram, matchers), "P50"},
		{quantile(0.95, histogram, matchers), "P95"},
		{quantile(0.99, histogram, matchers), "P99"},
	}
}

// perHour adds up a counter's rate by labels, as so many an hour.
func perHour(counter, by string) string {
	return fmt.Sprintf("sum by (%s) (rate(@%s[$__rate_interval])) * 3600", by, counter)
}

// inRange adds up what a counter has grown by in the time range, over all series.
func inRange(counter string) string {
	return fmt.Sprintf("sum(increase(@%s[$__range]))", counter)
}

// live selects series of single jobs, of the programs that have a job in progress. The series of a job end with it; but
// where a program pushes, Prometheus goes on showing them for some minutes, and so would an idle program's dashboard.
func live(gauge string) string {
	return "(@" + gauge + " and on (job, instance) (@jobs_in_progress > 0))"
}

// grown is what each series of counts has grown by in the time range, in whole numbers, the first count included.
//
// A histogram, or the counter of a class of errors, has no series before its first count: it is born at 1 and not at 0,
// and increase() alone would not see that 1, which is all there is of a rare error or of a worker that does one job. So
// what a series is born with counts, if it was not there when the range began. min_over_time is the value at birth, or
// a lower one after a restart. Where the range is longer than what Prometheus keeps, every series looks born in it.
func grown(counts string) string {
	increase := "increase(" + counts + "[$__range])"
	born := "(min_over_time(" + counts + "[$__range]) unless " + counts + " offset $__range)"
	return "round((" + increase + " + " + born + ") or " + increase + ")"
}

// collected is the rate per second of one of the collector's counters by labels. The name of a counter ends in _total
// if the collector writes type suffixes; "or" takes what there is.
func collected(counter, by string) string {
	return fmt.Sprintf("sum by (%s) (%s or %s)", by,
		"rate(@otelcol_"+counter+"_total[$__rate_interval])", "rate(@otelcol_"+counter+"[$__rate_interval])")
}
