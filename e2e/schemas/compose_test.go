package schemas

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"
)

// loadCompose loads a file as `docker compose config` does: interpolated, against the schema, and made consistent.
func loadCompose(ctx context.Context, path string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{path})
	if err != nil {
		return nil, err
	}
	return options.LoadProject(ctx)
}

func composeProject(t *testing.T) *types.Project {
	t.Helper()
	project, err := loadCompose(t.Context(), docsPath(t, "compose/compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// Each service has an image with a version, and what it mounts of this repository is there, and read-only.
func TestComposeFileLoads(t *testing.T) {
	project := composeProject(t)
	if len(project.Services) != 4 {
		t.Errorf("%d services, want 4", len(project.Services))
	}
	for name, service := range project.Services {
		if _, version, _ := strings.Cut(service.Image, ":"); version == "" || version == "latest" {
			t.Errorf("%s has the image %s, without a version", name, service.Image)
		}
		if service.NetworkMode != "host" {
			t.Errorf("%s is not on the host's network, so that localhost is another one", name)
		}
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s mounts %v", name, err)
			}
			if !volume.ReadOnly {
				t.Errorf("%s may write to %s", name, volume.Source)
			}
		}
	}
}

func TestBrokenComposeFileIsRefused(t *testing.T) {
	text := string(content(t, "compose/compose.yaml"))
	for _, tt := range []struct{ old, new, reason string }{
		{"    network_mode:", "    network_mod:", "an unknown key"},
		{"command: [--config=/etc/stagemeter/jaeger.yml]", "command: {config: jaeger.yml}", "a wrong type"},
		{"\n  grafana: {}", "", "a volume that is not declared"},
	} {
		broken := strings.Replace(text, tt.old, tt.new, 1)
		if broken == text {
			t.Fatalf("compose.yaml has no %q", tt.old)
		}
		path := filepath.Join(t.TempDir(), "compose.yaml")
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadCompose(t.Context(), path); err == nil {
			t.Errorf("%q is not refused: %s", tt.new, tt.reason)
		}
	}
}

// A file that a command or a provisioning file names is mounted, so that it is in the container.
func TestComposeCommandsFindTheirFiles(t *testing.T) {
	project := composeProject(t)
	for service, file := range map[string]string{
		"prometheus": "/etc/stagemeter/prometheus/scrape.yml",
		"collector":  "/etc/stagemeter/collector/collector.yml",
		"jaeger":     "/etc/stagemeter/jaeger.yml",
	} {
		if !strings.Contains(strings.Join(project.Services[service].Command, " "), file) {
			t.Errorf("%s is not started with %s", service, file)
		}
		if source := hostPath(project.Services[service], file); source == "" {
			t.Errorf("%s has no %s", service, file)
		} else if _, err := os.Stat(source); err != nil {
			t.Errorf("%s: %v", service, err)
		}
	}
	var rules struct {
		Files []string `json:"rule_files"`
	}
	if err := yaml.Unmarshal(content(t, "prometheus/scrape.yml"), &rules); err != nil {
		t.Fatal(err)
	}
	for _, file := range rules.Files {
		inside := filepath.Join("/etc/stagemeter/prometheus", file)
		if _, err := os.Stat(hostPath(project.Services["prometheus"], inside)); err != nil {
			t.Errorf("%s of scrape.yml: %v", file, err)
		}
	}
	var providers struct {
		Providers []struct{ Options struct{ Path string } }
	}
	if err := yaml.Unmarshal(content(t, "compose/grafana/dashboards.yml"), &providers); err != nil {
		t.Fatal(err)
	}
	if len(providers.Providers) != 1 {
		t.Fatalf("%d providers, want 1", len(providers.Providers))
	}
	if got := hostPath(project.Services["grafana"], providers.Providers[0].Options.Path); got != docsPath(t, "dashboards") {
		t.Errorf("Grafana reads the dashboards of %q", got)
	}
}

// hostPath is the file of the host that a container has at path, or "".
func hostPath(service types.ServiceConfig, path string) string {
	for _, volume := range service.Volumes {
		if rest, found := strings.CutPrefix(path, volume.Target); found && (rest == "" || rest[0] == '/') {
			return filepath.Join(volume.Source, rest)
		}
	}
	return ""
}

// Who connects to whom on the host agrees with who listens where, and no two listen on one port.
func TestComposeAddressesAgree(t *testing.T) {
	var sources struct {
		Datasources []struct {
			Type, UID, URL string
			JSONData       struct {
				ExemplarTraceIDDestinations []struct{ DatasourceUID string }
			}
		}
	}
	if err := yaml.Unmarshal(content(t, "compose/grafana/datasources.yml"), &sources); err != nil {
		t.Fatal(err)
	}
	listens := map[string]string{
		"prometheus": strings.Join(composeProject(t).Services["prometheus"].Command, " "),
		"jaeger":     string(content(t, "compose/jaeger.yml")),
	}
	uids := map[string]bool{}
	for _, source := range sources.Datasources {
		uids[source.UID] = true
		address, err := url.Parse(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(listens[source.Type], address.Host) {
			t.Errorf("%s does not listen at %s", source.Type, address.Host)
		}
	}
	for _, source := range sources.Datasources {
		for _, destination := range source.JSONData.ExemplarTraceIDDestinations {
			if !uids[destination.DatasourceUID] {
				t.Errorf("an exemplar leads to %q, which is no data source", destination.DatasourceUID)
			}
		}
	}
	collector, jaeger := string(content(t, "collector/collector.yml")), listens["jaeger"]
	if !strings.Contains(collector, "${env:TRACES_ENDPOINT:-localhost:14317}") || !strings.Contains(jaeger, "endpoint: localhost:14317\n") {
		t.Error("the collector does not push its traces to where Jaeger takes them")
	}
	for _, taken := range []string{":4317", ":4318", ":8888", ":8889", ":13133", ":9090", ":3000"} {
		if strings.Contains(jaeger, "localhost"+taken+"\n") {
			t.Errorf("Jaeger takes the port %s of another container", taken)
		}
	}
}
