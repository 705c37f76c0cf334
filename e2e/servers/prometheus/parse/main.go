// Command parse reads answers to scrapes as Prometheus does.
//
// It reads answers from its standard input as JSON, {"type": CONTENT-TYPE, "body": BASE64}, until its end, and replies
// to each with one line of JSON: {"lines": …} has each series and each comment in their order, {"error": …} says why
// Prometheus would take the scrape as failed, or which series is there twice, of which Prometheus would take one.
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

// A request is one answer to a scrape.
type request struct {
	Type string `json:"type"`
	Body []byte `json:"body"`
}

// A reply is what Prometheus makes of it.
type reply struct {
	Lines []line `json:"lines"`
	Error string `json:"error,omitempty"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("parse: ")
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var ask request
		if err := in.Decode(&ask); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		var say reply
		lines, err := parse(ask.Body, ask.Type)
		if say.Lines = lines; err != nil {
			say = reply{Error: err.Error()}
		}
		if err := out.Encode(say); err != nil {
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
