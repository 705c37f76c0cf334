package e2e

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

// A parsed is an answer as Prometheus reads it.
type parsed struct {
	series map[string]parsedSeries // by labels
	types  map[string]string       // by the metric's name, of counters that with _total
	helps  map[string]string       // likewise, without the blanks in front, which the text formats lose
}

// A parsedSeries is one series of an answer.
type parsedSeries struct {
	labels    model.LabelSet // with __name__
	value     float64
	exemplars []exemplum
}

// An exemplum is one exemplar.
type exemplum struct {
	Labels map[string]string
	Value  string
	Time   int64 // milliseconds
}

// same compares exemplars. One format cuts the time to milliseconds where the other rounds it.
func (e exemplum) same(other exemplum) bool {
	apart := e.Time - other.Time
	return maps.Equal(e.Labels, other.Labels) && e.Value == other.Value && -1 <= apart && apart <= 1
}

// unescaped undoes what Prometheus's parser of OpenMetrics leaves as it is in the labels of exemplars alone.
var unescaped = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")

// A parser is a running parse program: Prometheus's own parser.
type parser struct {
	ask   *json.Encoder
	reply *json.Decoder
}

// startParser starts a parser that ends with the test. It is for one goroutine.
func startParser(t *testing.T) *parser {
	t.Helper()
	cmd := exec.Command(built(t, "parse"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("parse: %v", err)
		}
	})
	return &parser{json.NewEncoder(in), json.NewDecoder(out)}
}

// parse reads an answer, and fails the test if Prometheus would refuse it.
func (p *parser) parse(t *testing.T, contentType string, body []byte) parsed {
	t.Helper()
	if err := p.ask.Encode(map[string]any{"type": contentType, "body": body}); err != nil {
		t.Fatalf("parse: %v", err)
	}
	var reply struct {
		Lines []parsedLine
		Error string
	}
	if err := p.reply.Decode(&reply); err != nil {
		t.Fatalf("parse: %v", err)
	}
	if reply.Error != "" {
		t.Fatalf("Prometheus would refuse this: %s\n%s\n%s", reply.Error, contentType, body)
	}
	return newParsed(t, contentType, reply.Lines)
}

// A parsedLine is a series, or what is said of a metric.
type parsedLine struct {
	Metric, Type string
	Help         *string
	Labels       model.LabelSet
	Value        string
	Exemplars    []exemplum
}

// newParsed collects the lines of an answer.
func newParsed(t *testing.T, contentType string, lines []parsedLine) parsed {
	t.Helper()
	p := parsed{map[string]parsedSeries{}, map[string]string{}, map[string]string{}}
	help := map[string]string{}
	for _, line := range lines {
		switch {
		case line.Help != nil:
			help[line.Metric] = strings.TrimLeft(*line.Help, " \t")
		case line.Type != "":
			name := line.Metric
			if line.Type == "counter" && !strings.HasSuffix(name, "_total") && name != "total" {
				name += "_total"
			}
			p.types[name], p.helps[name] = line.Type, help[line.Metric]
		default:
			value, err := strconv.ParseFloat(line.Value, 64)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range line.Exemplars {
				if e.Value == "-0" { // the text formats have one zero
					line.Exemplars[i].Value = "0"
				}
				for name, text := range e.Labels {
					if strings.HasPrefix(contentType, "application/openmetrics-text") {
						e.Labels[name] = unescaped.Replace(text)
					}
				}
			}
			p.series[line.Labels.String()] = parsedSeries{line.Labels, value, line.Exemplars}
		}
	}
	return p
}
