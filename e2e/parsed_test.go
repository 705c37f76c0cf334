package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
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

// parse reads an answer with Prometheus's own parser.
func parse(t *testing.T, contentType string, body []byte) parsed {
	t.Helper()
	cmd := exec.Command(built(t, "parse"), contentType)
	cmd.Stdin = bytes.NewReader(body)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Prometheus would refuse this: %v: %s\n%s\n%s", err, &stderr, contentType, body)
	}
	p := parsed{map[string]parsedSeries{}, map[string]string{}, map[string]string{}}
	help := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var line struct {
			Metric, Type string
			Help         *string
			Labels       model.LabelSet
			Value        string
			Exemplars    []exemplum
		}
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
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
