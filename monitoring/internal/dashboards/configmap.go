package dashboards

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ConfigMap returns docs/kubernetes/dashboards.yaml: a ConfigMap for each dashboard, with the label grafana_dashboard
// that the sidecar of Grafana's Helm chart looks for. It is one for each and not one for all, because kubectl apply
// keeps a copy of a manifest in an annotation, which is limited to 256 KiB.
func ConfigMap() ([]byte, error) {
	files, err := Generate()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# Code generated from semconv/registry. DO NOT EDIT.\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		page := strings.TrimSuffix(name, ".json")
		fmt.Fprintf(&b, `---
apiVersion: v1
kind: ConfigMap
metadata:
  name: stagemeter-dashboard-%s
  labels:
    app.kubernetes.io/part-of: stagemeter
    grafana_dashboard: "1"
data:
  stagemeter-%s: |
`, page, name)
		for line := range strings.Lines(string(files[name])) {
			b.WriteString("    " + line)
		}
	}
	return b.Bytes(), nil
}
