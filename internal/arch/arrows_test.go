package arch

import (
	"slices"
	"strings"
	"testing"
)

// otelAPI has the packages that a package may reach if it measures but does not export: the
// OpenTelemetry API, and the imports of the API. It has no SDK, exporter or driver: a library that
// imports instrument brings none of them into the programs of its users.
var otelAPI = []string{
	"go.opentelemetry.io/otel", // the package; its subpackages are listed one by one
	"go.opentelemetry.io/otel/attribute/...",
	"go.opentelemetry.io/otel/baggage/...",
	"go.opentelemetry.io/otel/codes/...",
	"go.opentelemetry.io/otel/internal/...",
	"go.opentelemetry.io/otel/log/...", // imported by the API's globals
	"go.opentelemetry.io/otel/metric/...",
	"go.opentelemetry.io/otel/propagation/...",
	"go.opentelemetry.io/otel/semconv/...",
	"go.opentelemetry.io/otel/trace/...",
	"go.opentelemetry.io/auto/sdk/...", // the API's hook for eBPF instrumentation
	"github.com/cespare/xxhash/...",
	"github.com/go-logr/...",
}

// An arrow is one rule: which packages those of from may reach, through any chain of imports.
type arrow struct {
	from   string
	except string   // packages of from that have a rule of their own
	only   []string // all that may be reached; nil: anything but never
	never  []string
	reason string
}

var arrows = []arrow{
	{
		from:   "semconv",
		only:   otelAPI,
		reason: "names and units are for anyone to import, and know nothing of who records or exports them",
	},
	{
		from:   "internal/registry",
		only:   slices.Concat(otelAPI, own("semconv")),
		reason: "a description of the metrics is data",
	},
	{
		from:   "internal/instruments",
		only:   slices.Concat(otelAPI, own("semconv")),
		reason: "an instrument needs its meter and its names, and not the descriptions of all metrics",
	},
	{
		from:   "internal/secrets",
		only:   []string{},
		reason: "what is secret in a text is the same for every package, so none is needed to hide it",
	},
	{
		from:   "instrument/money",
		only:   []string{},
		reason: "an amount needs nothing, so that price tables, ledgers and programs can share it",
	},
	{
		from:   "instrument/budget",
		only:   own("internal/secrets", "instrument/money", "instrument/internal/once"),
		reason: "a ledger keeps amounts, and is written without OpenTelemetry",
	},
	{
		from:   "instrument/budget/budgettest",
		only:   own("internal/secrets", "instrument/budget", "instrument/money", "instrument/internal/once"),
		reason: "a ledger is tested without a pipeline",
	},
	{
		from:   "instrument/budget/sqlledger",
		only:   own("internal/secrets", "instrument/budget", "instrument/money", "instrument/internal/once"),
		reason: "a program that keeps budgets in SQL brings its own driver",
	},
	{
		from:   "instrument/internal/remote",
		only:   own("internal/secrets", "instrument/budget", "instrument/money", "instrument/internal/errs", "instrument/internal/once"),
		reason: "a ledger is asked without a pipeline",
	},
	{
		from:   "instrument/internal/errs",
		only:   []string{},
		reason: "helpers are pure",
	},
	{
		from:   "instrument/internal/ffname",
		only:   []string{},
		reason: "helpers are pure",
	},
	{
		from:   "instrument/internal/newest",
		only:   []string{},
		reason: "helpers are pure",
	},
	{
		from:   "instrument/internal/spare",
		only:   []string{},
		reason: "helpers are pure",
	},
	{
		from:   "instrument/internal/once",
		only:   own("instrument/money"),
		reason: "a hold has amounts, and is no part of the contract of a ledger",
	},
	{
		from:   "instrument",
		only:   slices.Concat(otelAPI, own("semconv", "internal/instruments", "internal/secrets", "instrument/budget", "instrument/money", "instrument/internal/...")),
		reason: "a program that instruments its pipeline gets the OpenTelemetry API and nothing else",
	},
	{
		from:   "instrument/price",
		only:   own("instrument/money"),
		reason: "a price table is data and arithmetic: no HTTP, no OpenTelemetry",
	},
	{
		from: "instrument/aihttp",
		only: slices.Concat(otelAPI, own("semconv", "internal/instruments", "internal/secrets", "instrument", "instrument/budget", "instrument/money", "instrument/price",
			"instrument/internal/...", "instrument/aihttp/internal/...")),
		reason: "metering HTTP takes net/http, not the SDK of a provider",
	},
	{
		from:   "instrument/aihttp/internal/wire",
		only:   own("instrument/internal/spare"),
		reason: "reading a wire format knows nothing of providers and prices",
	},
	{
		from:   "internal/pricegen",
		only:   own("instrument/price", "instrument/money"),
		reason: "prices are written down without knowing who meters by them",
	},
	{
		from:   "instrument/ffmpeg",
		only:   slices.Concat(otelAPI, own("semconv", "internal/instruments", "internal/secrets", "instrument", "instrument/budget", "instrument/money", "instrument/internal/...")),
		reason: "running ffmpeg takes os/exec, not an SDK",
	},
	{
		from:   "instrument/...",
		never:  own("exporters/...", "bench/...", "examples/...", "e2e/..."),
		reason: "instrument and exporters meet in main, through MeterProvider and TracerProvider",
	},
	{
		from:   "instrument/instrumenttest",
		never:  []string{"github.com/prometheus/client_golang/...", "go.opentelemetry.io/otel/exporters/..."},
		reason: "a user's tests get the SDK to read from, and no exporter",
	},
	{
		from:   "exporters/...",
		except: "exporters/livepage/...",
		never:  own("instrument/...", "bench/...", "examples/...", "e2e/..."),
		reason: "exporters serve any instrumentation, not only ours",
	},
	{
		from:   "exporters/livepage/...",
		never:  own("bench/...", "examples/...", "e2e/...", "monitoring/...", "instrument/aihttp/...", "instrument/ffmpeg/...", "instrument/price/...", "instrument/instrumenttest/..."),
		reason: "the page shows what the two libraries say of themselves, and belongs to neither",
	},
	{
		from:   "exporters/internal/...",
		never:  own("exporters"),
		reason: "package exporters furnishes its rooms, and no room knows the house",
	},
	{
		from:   "exporters/internal/report",
		only:   own("internal/secrets"),
		reason: "log lines and error texts are below every other room",
	},
	{
		from:   "exporters/internal/exposition",
		never:  own("exporters/internal/..."),
		reason: "writing a format takes the collected metrics, and nothing of where they go",
	},
	{
		from:   "exporters/internal/settings",
		never:  own("exporters/internal/collect", "exporters/internal/push", "exporters/internal/scrape", "exporters/internal/exposition", "exporters/internal/web"),
		reason: "settings are read and checked before anything is built",
	},
	{
		from:   "exporters/internal/collect",
		never:  append(own("exporters/internal/settings", "exporters/internal/push", "exporters/internal/scrape", "exporters/internal/exposition", "exporters/internal/web"), "github.com/prometheus/...", "google.golang.org/grpc/..."),
		reason: "collecting does not depend on a format or a protocol",
	},
	{
		from:   "exporters/internal/push",
		never:  append(own("exporters/internal/scrape", "exporters/internal/exposition", "exporters/internal/web"), "github.com/prometheus/..."),
		reason: "a push has nothing of a scrape",
	},
	{
		from:   "exporters/internal/scrape",
		never:  append(own("exporters/internal/settings", "exporters/internal/push", "exporters/internal/web"), "google.golang.org/grpc/..."),
		reason: "a scrape is a handler: it has nothing of a push, a port or a variable",
	},
	{
		from:   "exporters/internal/web",
		never:  append(own("exporters/internal/settings", "exporters/internal/collect", "exporters/internal/push", "exporters/internal/scrape", "exporters/internal/exposition"), "go.opentelemetry.io/otel/..."),
		reason: "the server serves any handler",
	},
	{
		from:   "monitoring/...",
		only:   slices.Concat(otelAPI, own("semconv", "internal/registry", "monitoring/..."), []string{"go.yaml.in/yaml/v3"}),
		reason: "rules and dashboards follow from the registry, whoever records it",
	},
	{
		from:   "cmd/stagemeter/...",
		never:  own("semconv/...", "instrument/...", "exporters/...", "internal/...", "monitoring/...", "bench/...", "examples/...", "e2e/..."),
		reason: "the command reads the JSON of any version's live page, and its module requires no version of the root",
	},
	{
		from:   "internal/...",
		never:  own("bench/...", "examples/...", "e2e/..."),
		reason: "examples, benchmarks and end-to-end tests use the library, never the other way round",
	},
	{
		from:   "bench/...",
		never:  own("examples/...", "e2e/..."),
		reason: "the benchmark is a user's program",
	},
}

// own returns patterns for packages of this repository.
func own(patterns ...string) []string {
	for i, p := range patterns {
		patterns[i] = module + "/" + p
	}
	return patterns
}

// matches reports whether a pattern of the go command matches: "a/..." is a and all below it.
func matches(pattern, path string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return path == base || below && strings.HasPrefix(path, base+"/")
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

func TestImportArrows(t *testing.T) {
	all := packages(t)
	for _, rule := range arrows {
		t.Run(rule.from, func(t *testing.T) {
			found := 0
			for _, p := range ownPackages(t) {
				if !matches(module+"/"+rule.from, p.ImportPath) || rule.except != "" && matches(module+"/"+rule.except, p.ImportPath) {
					continue
				}
				found++
				for path, chain := range reached(all, p.ImportPath) {
					if matchesAny(rule.never, path) || rule.only != nil && !matchesAny(rule.only, path) {
						t.Errorf("%s must not reach %s (%s):\n\t%s", p.short(), path, rule.reason, strings.Join(chain, "\n\t→ "))
					}
				}
			}
			if found == 0 {
				t.Errorf("no package matches %s: the rule holds nothing", rule.from)
			}
		})
	}
}

// The live page imports both libraries through their public packages, and only programs import it.
func TestLivePageMeetsBothLibraries(t *testing.T) {
	page := module + "/exporters/livepage"
	allowed := own("exporters", "instrument", "instrument/money", "semconv")
	found := false
	for _, p := range ownPackages(t) {
		if p.ImportPath == page {
			found = true
			for _, path := range p.Imports {
				if strings.HasPrefix(path, module+"/") && !slices.Contains(allowed, path) {
					t.Errorf("%s imports %s", p.short(), path)
				}
			}
		}
		if slices.Contains(p.Imports, page) && p.Name != "main" {
			t.Errorf("%s is a library, and imports the page: only programs may", p.short())
		}
	}
	if !found {
		t.Error("there is no page: the rule holds nothing")
	}
}

// The benchmark is a user's program, which cannot import internal packages.
func TestBenchImportsNothingInternal(t *testing.T) {
	found := 0
	for _, p := range ownPackages(t) {
		if !matches(module+"/bench/...", p.ImportPath) {
			continue
		}
		found++
		for _, path := range p.Imports {
			if strings.HasPrefix(path, module+"/") && strings.Contains(path, "/internal/") && !matches(module+"/bench/...", path) {
				t.Errorf("%s imports %s", p.short(), path)
			}
		}
	}
	if found == 0 {
		t.Error("there is no benchmark: the rule holds nothing")
	}
}

// The benchmark and the examples are users' programs: they import only what a user can import.
func TestUsersProgramsImportNothingInternal(t *testing.T) {
	found := 0
	for _, p := range ownPackages(t) {
		if !matchesAny(own("bench/...", "examples/..."), p.ImportPath) {
			continue
		}
		found++
		for _, path := range p.Imports {
			if matchesAny(own("internal/...", "instrument/internal/...", "exporters/internal/..."), path) {
				t.Errorf("%s imports %s", p.short(), path)
			}
		}
	}
	if found == 0 {
		t.Error("no package of a user's program")
	}
}

// An adapter (instrument/adapters/meterpgx, …) brings in one driver. Were it to import another adapter, its
// users would get that one's driver too.
func TestAdaptersDoNotImportEachOther(t *testing.T) {
	all := packages(t)
	adapter := func(p pkg) string {
		name, ok := strings.CutPrefix(p.ImportPath, module+"/instrument/adapters/")
		name, _, _ = strings.Cut(name, "/")
		if !ok {
			return ""
		}
		return name
	}
	for _, p := range ownPackages(t) {
		if adapter(p) == "" {
			continue
		}
		for path, chain := range reached(all, p.ImportPath) {
			if other := adapter(all[path]); other != "" && other != adapter(p) {
				t.Errorf("%s reaches another adapter:\n\t%s", p.short(), strings.Join(chain, "\n\t→ "))
			}
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
		reason        string
	}{
		{"a/b", "a/b", true, "itself"},
		{"a/b", "a/b/c", false, "a plain pattern has nothing below it"},
		{"a/b/...", "a/b", true, "the three dots include the package itself"},
		{"a/b/...", "a/b/c/d", true, "any depth"},
		{"a/b/...", "a/bc", false, "a name that merely begins alike"},
	} {
		if got := matches(tt.pattern, tt.path); got != tt.want {
			t.Errorf("matches(%q, %q) = %v, want %v: %s", tt.pattern, tt.path, got, tt.want, tt.reason)
		}
	}
}
