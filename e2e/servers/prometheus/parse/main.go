// Command parse reads a scrape's answer as Prometheus does.
//
// Its argument is the answer's Content-Type, the body is on its standard input. It writes each series and each
// comment as a line of JSON, in their order. It fails where Prometheus would take the scrape as failed, and where a
// series is there twice, of which Prometheus would take one.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// A line is a series, or what is said of a metric. Numbers are texts, as JSON has no NaN.
type line struct {
	Metric string            `json:"metric,omitempty"`
	Type   string            `json:"type,omitempty"`
	Help   *string           `json:"help,omitempty"`
	Unit   string            `json:"unit,omitempty"`
	Labels map[string]string `json:"labels,omitempty"` // with the series' name as __name__

	Value     string     `json:"value,omitempty"`
	Time      *int64     `json:"time,omitempty"`
	Exemplars []exemplum `json:"exemplars,omitempty"`
}

// An exemplum is one exemplar, its time in milliseconds.
type exemplum struct {
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"`
	Time   int64             `json:"time"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("parse: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: parse CONTENT-TYPE < BODY")
	}
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	lines, err := parse(body, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	for _, l := range lines {
		if err := out.Encode(l); err != nil {
			log.Fatal(err)
		}
	}
}

func parse(body []byte, contentType string) (lines []line, err error) {
	p, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{IgnoreNativeHistograms: true})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		var l line
		switch entry {
		case textparse.EntryType:
			name, typ := p.Type()
			l.Metric, l.Type = string(name), string(typ)
		case textparse.EntryHelp:
			name, help := p.Help()
			text := string(help)
			l.Metric, l.Help = string(name), &text
		case textparse.EntryUnit:
			name, unit := p.Unit()
			l.Metric, l.Unit = string(name), string(unit)
		case textparse.EntrySeries:
			if l, err = series(p); err != nil {
				return nil, err
			}
			if key := fmt.Sprint(l.Labels); seen[key] {
				return nil, fmt.Errorf("series twice: %v", l.Labels)
			} else {
				seen[key] = true
			}
		default:
			return nil, fmt.Errorf("entry %d", entry)
		}
		lines = append(lines, l)
	}
}

// series reads the series that p is at, and checks its labels as a scrape does.
func series(p textparse.Parser) (line, error) {
	var set labels.Labels
	p.Labels(&set)
	name, twice := set.HasDuplicateLabelNames()
	switch {
	case twice:
		return line{}, fmt.Errorf("label %s twice: %s", name, set)
	case !set.Has(model.MetricNameLabel) || !set.IsValid(model.UTF8Validation):
		return line{}, fmt.Errorf("invalid metric name or label names: %s", set)
	}
	_, at, value := p.Series()
	l := line{Labels: set.Map(), Value: number(value), Time: at}
	for e := (exemplar.Exemplar{}); p.Exemplar(&e); e = (exemplar.Exemplar{}) {
		l.Exemplars = append(l.Exemplars, exemplum{e.Labels.Map(), number(e.Value), e.Ts})
	}
	return l, nil
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
