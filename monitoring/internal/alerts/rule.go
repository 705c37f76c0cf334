package alerts

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// Group is a group of rules, in the shape of Prometheus's rule files and of the Prometheus Operator's
// PrometheusRule.
type Group struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"` // between two evaluations; Prometheus's own if empty
	Rules    []Rule `yaml:"rules"`
}

// Rule is a recording rule or an alert: it has either Record or Alert.
type Rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// encode writes v as YAML with two spaces of indentation, below a comment.
func encode(comment string, v any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(comment)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}
