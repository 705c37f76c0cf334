package dashboards

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Kubernetes gets back the very files, each in a ConfigMap that kubectl apply can annotate with a copy of it.
func TestConfigMap(t *testing.T) {
	files, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := ConfigMap()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for docs := yaml.NewDecoder(bytes.NewReader(manifest)); ; {
		var m struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct {
				Name   string
				Labels map[string]string
			}
			Data map[string]string
		}
		if err := docs.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		isMap := m.APIVersion == "v1" && m.Kind == "ConfigMap" && m.Metadata.Name != ""
		if !isMap || m.Metadata.Labels["grafana_dashboard"] != "1" {
			t.Errorf("not a ConfigMap of a dashboard: %s %s %+v", m.APIVersion, m.Kind, m.Metadata)
		}
		for name, data := range m.Data {
			file := name[len("stagemeter-"):]
			if data != string(files[file]) {
				t.Errorf("%s is not what is generated", name)
			}
			if len(data) > 200<<10 {
				t.Errorf("%s has %d bytes, too many for an annotation of 256 KiB", name, len(data))
			}
			found[file] = true
		}
	}
	for name := range files {
		if !found[name] {
			t.Errorf("%s is in no ConfigMap", name)
		}
	}
}
