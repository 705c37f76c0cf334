package e2e

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/stagemeter/stagemeter/internal/corpus"
	"github.com/stagemeter/stagemeter/internal/testserver"
)

// TestPrometheusScrapesTheCorpus: a real Prometheus scrapes programs of the corpus in each format, takes every sample,
// and has afterwards what the programs show.
func TestPrometheusScrapesTheCorpus(t *testing.T) {
	t.Parallel()
	programs := map[string]corpusProgram{} // by path
	mux, parser := http.NewServeMux(), startParser(t)
	for seed := uint64(5000); len(programs) < 30; seed++ {
		p := startCorpus(t, parser, seed)
		p.run.Step(0)
		if p.changes() || len(p.parsed(t, textFormat).series) < 10 {
			continue
		}
		path := fmt.Sprintf("/%d", seed)
		programs[path] = p
		mux.Handle(path, p.handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	var scrapes []any
	protocols := map[string]string{"text": "PrometheusText0.0.4", "open": "OpenMetricsText1.0.0", "proto": "PrometheusProto"}
	for path := range programs {
		for format, protocol := range protocols {
			scrapes = append(scrapes, config{
				"job_name": format + path, "metrics_path": path, "scrape_protocols": []string{protocol},
				"scrape_interval": "5s", "scrape_timeout": "5s",
				"static_configs": []any{config{"targets": []string{strings.TrimPrefix(server.URL, "http://")}}},
			})
		}
	}
	prom := startPrometheus(t, testserver.FreeAddr(t), config{"scrape_configs": scrapes})
	for deadline := time.Now().Add(settleWithin); len(prom.query(t, "scrape_samples_scraped")) < len(scrapes); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d jobs were scraped", len(prom.query(t, "scrape_samples_scraped")), len(scrapes))
		}
	}
	for path, p := range programs {
		shown := p.parsed(t, textFormat).series
		for format := range protocols {
			job := format + path
			for expr, want := range map[string]float64{
				"up": 1, "scrape_samples_scraped": float64(len(shown)), "scrape_samples_post_metric_relabeling": float64(len(shown)),
			} {
				if got := prom.query(t, fmt.Sprintf("%s{job=%q}", expr, job)); len(got) != 1 || float64(got[0].Value) != want {
					t.Errorf("%s{job=%q}: %v, want %v; it shows\n%s", expr, job, got, want, p)
				}
			}
			checkStored(t, prom.query(t, fmt.Sprintf("{job=%q}", job)), shown, p)
		}
	}
}

// changes tells whether the program's answer may change from scrape to scrape, or has nothing of the program.
func (p corpusProgram) changes() bool {
	for _, reasons := range p.unsettled {
		if reasons&^corpus.ExemplarsAnew != 0 {
			return true
		}
	}
	return false
}

// checkStored expects in Prometheus what a program shows, but for what the handler counts of itself.
func checkStored(t *testing.T, stored model.Vector, shown map[string]parsedSeries, p corpusProgram) {
	t.Helper()
	values := map[string]float64{}
	for _, s := range stored {
		labels := model.LabelSet{}
		for name, value := range s.Metric {
			if name != "__type__" && name != "__unit__" { // which startPrometheus has it add
				labels[name] = value
			}
		}
		for _, target := range []model.LabelName{"job", "instance"} { // what the program has of that name was renamed
			delete(labels, target)
			if own, ok := labels["exported_"+target]; ok {
				labels[target] = own
				delete(labels, "exported_"+target)
			}
		}
		values[labels.String()] = float64(s.Value)
	}
	want := map[string][]float64{} // several where labels differ by an empty one, which is none to Prometheus
	for _, s := range shown {
		if p.open(string(s.labels["__name__"])) {
			continue
		}
		labels := s.labels.Clone()
		maps.DeleteFunc(labels, func(_ model.LabelName, value model.LabelValue) bool { return value == "" })
		want[labels.String()] = append(want[labels.String()], s.value)
	}
	for labels, some := range want {
		got, ok := values[labels]
		delete(values, labels)
		if !ok || !slices.ContainsFunc(some, func(v float64) bool { return v == got || math.IsNaN(v) && math.IsNaN(got) }) {
			t.Errorf("%s is stored as %v (%v), want %v", labels, got, ok, some)
		}
	}
	for labels := range values {
		if !strings.Contains(labels, `__name__="promhttp_`) && !strings.Contains(labels, `__name__="scrape_`) && !strings.Contains(labels, `__name__="up"`) {
			t.Errorf("%s is stored, and not shown", labels)
		}
	}
}
