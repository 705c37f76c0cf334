package settings

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// Environment variables that this package reads. The SDK itself reads those of the span limits.
const (
	envDisabled        = "OTEL_SDK_DISABLED"
	envLogLevel        = "OTEL_LOG_LEVEL"
	envServiceName     = "OTEL_SERVICE_NAME"
	envResource        = "OTEL_RESOURCE_ATTRIBUTES"
	envMetricsExporter = "OTEL_METRICS_EXPORTER"
	envTracesExporter  = "OTEL_TRACES_EXPORTER"
	envPrometheusHost  = "OTEL_EXPORTER_PROMETHEUS_HOST"
	envPrometheusPort  = "OTEL_EXPORTER_PROMETHEUS_PORT"
	envInterval        = "OTEL_METRIC_EXPORT_INTERVAL"
	envExportTimeout   = "OTEL_METRIC_EXPORT_TIMEOUT"
	envExemplars       = "OTEL_METRICS_EXEMPLAR_FILTER"
	envSampler         = "OTEL_TRACES_SAMPLER"
	envSamplerArg      = "OTEL_TRACES_SAMPLER_ARG"
	envQueueSize       = "OTEL_BSP_MAX_QUEUE_SIZE"
	envBatchSize       = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
	envSpanDelay       = "OTEL_BSP_SCHEDULE_DELAY"
	envSpanTimeout     = "OTEL_BSP_EXPORT_TIMEOUT"
	envTemporality     = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
	envHistograms      = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"

	envOTLP = "OTEL_EXPORTER_OTLP_" // then METRICS_ or TRACES_ or neither, then one of those below

	otlpEndpoint    = "ENDPOINT"
	otlpProtocol    = "PROTOCOL"
	otlpInsecure    = "INSECURE"
	otlpHeaders     = "HEADERS"
	otlpCompression = "COMPRESSION"
	otlpTimeout     = "TIMEOUT"
	otlpCA          = "CERTIFICATE"
	otlpCert        = "CLIENT_CERTIFICATE"
	otlpKey         = "CLIENT_KEY"
)

// An environ looks up environment variables as os.Getenv does.
type environ func(name string) string

// get returns the value of name without surrounding space. An empty value counts as unset, as the
// OpenTelemetry specification says.
func (e environ) get(name string) string { return strings.TrimSpace(e(name)) }

// first returns the first of names that is set, and its value.
func (e environ) first(names ...string) (name, value string) {
	for _, name := range names {
		if v := e.get(name); v != "" {
			return name, v
		}
	}
	return names[0], ""
}

// A reader reads variables and keeps an error for each value that cannot be used.
type reader struct {
	env  environ
	errs []error
}

// reject keeps an error about a variable's value: what is allowed, and what happens instead.
func (r *reader) reject(name, value, want, used string) {
	r.note(fmt.Errorf("exporters: %s=%q: want %s; %s", name, value, want, used))
}

// note keeps err once: both signals may read the same variable. Values may be URLs, also of variables
// that take none: err is kept without their secrets.
func (r *reader) note(err error) {
	err = report.Hidden(err)
	if !slices.ContainsFunc(r.errs, func(e error) bool { return e.Error() == err.Error() }) {
		r.errs = append(r.errs, err)
	}
}

// err returns the joined errors, or nil.
func (r *reader) err() error { return errors.Join(r.errs...) }

// choice reads one of allowed from the first of names that is set. It ignores case.
func (r *reader) choice(def string, allowed []string, names ...string) string {
	name, value := r.env.first(names...)
	if value == "" {
		return def
	}
	if v := strings.ToLower(value); slices.Contains(allowed, v) {
		return v
	}
	used := "it is left out"
	if def != "" {
		used = "the default, " + def + ", is used"
	}
	r.reject(name, value, oneOf(allowed), used)
	return def
}

// flag reads true or false; unset is false.
func (r *reader) flag(names ...string) bool {
	return r.choice("false", []string{"true", "false"}, names...) == "true"
}

// milliseconds reads a positive duration.
func (r *reader) milliseconds(def time.Duration, names ...string) time.Duration {
	name, value := r.env.first(names...)
	if value == "" {
		return def
	}
	ms, err := strconv.ParseInt(value, 10, 64)
	if err != nil || ms <= 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		r.reject(name, value, "a whole number of milliseconds above 0", fmt.Sprintf("the default, %d, is used", def.Milliseconds()))
		return def
	}
	return time.Duration(ms) * time.Millisecond
}

// count reads a whole number from 1 to most.
func (r *reader) count(def, most int, name string) int {
	value := r.env.get(name)
	if value == "" {
		return def
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		r.reject(name, value, fmt.Sprintf("a whole number from 1 to %d", most), fmt.Sprintf("the default, %d, is used", def))
		return def
	}
	return n
}

// none is the list item for no exporter.
const none = "none"

// list reads a comma list of allowed items. It returns nil if the variable is unset or has no
// allowed item, and an empty list that is not nil for "none".
func (r *reader) list(name string, allowed ...string) []string {
	value := r.env.get(name)
	if value == "" {
		return nil
	}
	known, unknown := parseList(value, allowed)
	if len(unknown) > 0 {
		used := fmt.Sprintf("%q is left out", unknown)
		if len(known) == 0 {
			used = "the default is used"
		}
		r.reject(name, value, "a comma list of "+strings.Join(allowed, ", "), used)
	}
	if i := slices.Index(known, none); i >= 0 {
		if len(known) > 1 {
			r.reject(name, value, `either "none" or a list without it`, `"none" is left out`)
		}
		known = slices.Delete(known, i, i+1)
		return append([]string{}, known...)
	}
	return known
}

// parseList splits a comma list. known are the allowed items, in lower case and each once; nil if
// there is none. unknown are the others, as written and each once. It ignores empty items and the
// space around items.
func parseList(value string, allowed []string) (known, unknown []string) {
	for item := range strings.SplitSeq(value, ",") {
		item = strings.TrimSpace(item)
		low := strings.ToLower(item)
		switch {
		case item == "" || slices.Contains(known, low):
		case slices.Contains(allowed, low):
			known = append(known, low)
		case !slices.Contains(unknown, item):
			unknown = append(unknown, item)
		}
	}
	return known, unknown
}

// A pair is an item of a comma list of key=value.
type pair struct {
	item, key, value string
	err              error // not nil if the item is not key=value
}

// pairs splits a comma list of key=value with percent-encoded values.
func pairs(list string) (all []pair) {
	if list == "" {
		return nil
	}
	for item := range strings.SplitSeq(list, ",") {
		k, v, found := strings.Cut(item, "=")
		p := pair{item: item, key: strings.TrimSpace(k)}
		p.value, p.err = url.PathUnescape(strings.TrimSpace(v))
		if !found || p.key == "" {
			p.err = errors.New("no key=value")
		}
		all = append(all, p)
	}
	return all
}

// oneOf returns "one of a, b, c".
func oneOf(allowed []string) string { return "one of " + strings.Join(allowed, ", ") }
