package main

import (
	"go/token"
	"strings"

	"github.com/prometheus/otlptranslator"
)

// metricPrefix begins the name of every metric that is our own. Go names leave it out.
const metricPrefix = "video.processing."

// metricPrefixes begin the names of all metrics in the registry: our own, and those that have the
// names of OpenTelemetry's conventions.
var metricPrefixes = []string{metricPrefix, "gen_ai."}

// initialisms are the words that Go spells in its own way.
var initialisms = map[string]string{
	"ai":  "AI",
	"api": "API",
	"id":  "ID",
	"nan": "NaN",
}

// goName turns a dotted or underscored name into an exported Go name.
func goName(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '.' || r == '_' }) {
		if s, ok := initialisms[word]; ok {
			b.WriteString(s)
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func trimPrefix(metricName string) string { return strings.TrimPrefix(metricName, metricPrefix) }

// metricGoName is the Go name of a metric: that of its name without the prefix.
func metricGoName(metricName string) string { return goName(trimPrefix(metricName)) }

// goParam turns a dotted or underscored name into the name of a Go parameter.
func goParam(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '_' })
	param := words[0] + goName(strings.Join(words[1:], "_"))
	if imported[param] || token.IsKeyword(param) {
		return param + "Name"
	}
	return param
}

// imported are the packages that a parameter must not hide.
var imported = map[string]bool{"attribute": true, "metric": true, "noop": true, "semconv": true}

// reserved are the names that package instruments and its type Set have already, so that no metric can have them.
var reserved = map[string]bool{"New": true, "Observables": true, "Observer": true, "Set": true, "Zero": true}

// instruments are Weaver's instruments, with what Prometheus takes them for.
var instruments = map[string]otlptranslator.MetricType{
	"counter":       otlptranslator.MetricTypeMonotonicCounter,
	"updowncounter": otlptranslator.MetricTypeNonMonotonicCounter,
	"gauge":         otlptranslator.MetricTypeGauge,
	"histogram":     otlptranslator.MetricTypeHistogram,
}

// prometheusName is the name that a metric has on each of its ways into
// Prometheus: they all use this translator with this strategy.
func prometheusName(name, unit, instrument string) (string, error) {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	return namer.Build(otlptranslator.Metric{Name: name, Unit: unit, Type: instruments[instrument]})
}

// prometheusLabel is the label that an attribute becomes.
func prometheusLabel(key string) (string, error) {
	namer := otlptranslator.LabelNamer{}
	return namer.Build(key)
}
