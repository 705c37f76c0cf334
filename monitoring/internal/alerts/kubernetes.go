package alerts

// prometheusRule is the custom resource of the Prometheus Operator, as far as it is used.
type prometheusRule struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       ruleFile `yaml:"spec"`
}

type metadata struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

// PrometheusRule returns the manifest that gives all groups to a Prometheus Operator. Its selector, the ruleSelector
// of the Prometheus resource, decides which labels it needs: kube-prometheus and most others take role and prometheus.
func PrometheusRule(s Settings) ([]byte, error) {
	groups, err := Groups(s)
	if err != nil {
		return nil, err
	}
	return encode(header, prometheusRule{
		APIVersion: "monitoring.coreos.com/v1",
		Kind:       "PrometheusRule",
		Metadata: metadata{
			Name: "stagemeter",
			Labels: map[string]string{
				"app.kubernetes.io/name":    "stagemeter",
				"app.kubernetes.io/part-of": "stagemeter",
				"prometheus":                "k8s",
				"role":                      "alert-rules",
			},
		},
		Spec: ruleFile{Groups: groups},
	})
}
