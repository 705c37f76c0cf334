package schemas

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// manifests are the files of docs/kubernetes, and what each holds.
var manifests = map[string]string{
	"deployment.yaml":     "Deployment",
	"service.yaml":        "Service",
	"servicemonitor.yaml": "ServiceMonitor",
	"podmonitor.yaml":     "PodMonitor",
	"prometheusrule.yaml": "PrometheusRule",
}

// alternative is the one manifest that the kustomization leaves out: the user takes it in place of servicemonitor.yaml.
const alternative = "podmonitor.yaml"

// maxAnnotated is how long a dashboard may be for `kubectl apply` to keep a copy of its manifest in an annotation. All
// annotations of an object have 256 KiB, and the copy is JSON in JSON.
const maxAnnotated = 200 << 10

func TestManifestsDecodeStrictly(t *testing.T) {
	for name, kind := range manifests {
		t.Run(name, func(t *testing.T) {
			for _, manifest := range documents(t, name) {
				object, err := decode(manifest)
				if err != nil {
					t.Fatal(err)
				}
				if got := object.GetObjectKind().GroupVersionKind().Kind; got != kind {
					t.Errorf("has a %s, want a %s", got, kind)
				}
			}
		})
	}
}

func TestEveryManifestIsKnown(t *testing.T) {
	entries, err := os.ReadDir(docsPath(t, "kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "README.md" && name != "kustomization.yaml" && manifests[name] == "" {
			t.Errorf("docs/kubernetes/%s is not checked by any test", name)
		}
	}
}

func TestMonitorsAndRulesFitTheCRDs(t *testing.T) {
	for name, kind := range manifests {
		if !strings.Contains(string(content(t, filepath.Join("kubernetes", name))), "monitoring.coreos.com/v1") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if err := validateAgainstCRD(kind, content(t, filepath.Join("kubernetes", name))); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is wrong is refused: the tests above can fail.
func TestWrongManifestsAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, old, new, reason string }{
		{"deployment.yaml", "replicas:", "replica:", "an unknown field"},
		{"deployment.yaml", "replicas: 2", "replicas: two", "a number that is none"},
		{"service.yaml", "kind: Service", "kind: Servis", "an unknown kind"},
		{"servicemonitor.yaml", "interval:", "intervall:", "an unknown field of a custom resource"},
	} {
		text := strings.Replace(string(content(t, filepath.Join("kubernetes", tt.name))), tt.old, tt.new, 1)
		if _, err := decode([]byte(text)); err == nil || !strings.Contains(text, tt.new) {
			t.Errorf("%s with %q is not refused: %s", tt.name, tt.new, tt.reason)
		}
	}
	monitor := strings.Replace(string(content(t, "kubernetes/servicemonitor.yaml")), "interval: 15s", "interval: 15 seconds", 1)
	if err := validateAgainstCRD("ServiceMonitor", []byte(monitor)); err == nil {
		t.Error("an interval that is no duration passes the CRD's schema")
	}
}

// build is what `kubectl apply -k` makes of a folder of docs, each manifest decoded strictly.
func build(t *testing.T, folder string) []runtime.Object {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), docsPath(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	var objects []runtime.Object
	for _, resource := range built.Resources() {
		manifest, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, err := decode(manifest)
		if err != nil {
			t.Fatalf("%s: %v", resource.GetKind(), err)
		}
		objects = append(objects, object)
	}
	return objects
}

// The kustomization builds, has every manifest but the alternative and a ConfigMap for each dashboard, and puts the
// image in.
func TestKustomizationBuilds(t *testing.T) {
	var kinds []string
	for _, object := range build(t, "kubernetes") {
		kinds = append(kinds, object.GetObjectKind().GroupVersionKind().Kind)
		if deployment, ok := object.(*appsv1.Deployment); ok {
			if image := deployment.Spec.Template.Spec.Containers[0].Image; !strings.Contains(image, ":") {
				t.Errorf("the image is %s, without a version", image)
			}
		}
	}
	want := slices.Repeat([]string{"ConfigMap"}, len(dashboards(t)))
	for name, kind := range manifests {
		if name != alternative {
			want = append(want, slices.Repeat([]string{kind}, len(documents(t, name)))...)
		}
	}
	slices.Sort(kinds)
	slices.Sort(want)
	if !slices.Equal(kinds, want) {
		t.Errorf("the kustomization has %v, want %v", kinds, want)
	}
}

// The labels and port names by which one file finds another agree, and both monitors name the job alike.
func TestManifestsAgree(t *testing.T) {
	deployment, service := read[*appsv1.Deployment](t, "deployment.yaml"), read[*corev1.Service](t, "service.yaml")
	byService, byPod := read[*monitoringv1.ServiceMonitor](t, "servicemonitor.yaml"), read[*monitoringv1.PodMonitor](t, "podmonitor.yaml")
	pod := deployment.Spec.Template
	contains := func(who string, labels, selector map[string]string) {
		t.Helper()
		if len(selector) == 0 {
			t.Errorf("%s selects everything", who)
		}
		for key, value := range selector {
			if labels[key] != value {
				t.Errorf("%s selects %s=%s, which is %q", who, key, value, labels[key])
			}
		}
	}
	contains("the Deployment", pod.Labels, deployment.Spec.Selector.MatchLabels)
	contains("the Service", pod.Labels, service.Spec.Selector)
	contains("the ServiceMonitor", service.Labels, byService.Spec.Selector.MatchLabels)
	contains("the PodMonitor", pod.Labels, byPod.Spec.Selector.MatchLabels)
	if got := service.Labels[byService.Spec.JobLabel]; got != "video-worker" {
		t.Errorf("the ServiceMonitor's job is %q, want video-worker", got)
	}
	if got := pod.Labels[byPod.Spec.JobLabel]; got != "video-worker" {
		t.Errorf("the PodMonitor's job is %q, want video-worker", got)
	}

	port := pod.Spec.Containers[0].Ports[0]
	if port.ContainerPort != 9099 {
		t.Errorf("the container's port is %d, want 9099", port.ContainerPort)
	}
	if target := service.Spec.Ports[0].TargetPort; target != intstr.FromString(port.Name) {
		t.Errorf("the Service's target port is %v, want %s", target, port.Name)
	}
	if got := byService.Spec.Endpoints[0].Port; got != service.Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor's port is %s, want %s", got, service.Spec.Ports[0].Name)
	}
	if got := byPod.Spec.PodMetricsEndpoints[0].Port; got == nil || *got != port.Name {
		t.Errorf("the PodMonitor's port is %v, want %s", got, port.Name)
	}
	container := pod.Spec.Containers[0]
	for name, probe := range map[string]*corev1.Probe{
		"startup": container.StartupProbe, "liveness": container.LivenessProbe, "readiness": container.ReadinessProbe,
	} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Port != intstr.FromString(port.Name) {
			t.Errorf("the %s probe does not ask the port %s", name, port.Name)
		}
	}
}

// Every setting that the Deployment makes of the telemetry is in the table of package exporters.
func TestDeploymentSettingsAreDocumented(t *testing.T) {
	table := string(content(t, "../exporters/doc.go"))
	for _, env := range read[*appsv1.Deployment](t, "deployment.yaml").Spec.Template.Spec.Containers[0].Env {
		if strings.HasPrefix(env.Name, "OTEL_") && !strings.Contains(table, " "+env.Name+" ") {
			t.Errorf("exporters/doc.go has no %s", env.Name)
		}
	}
}

// addend is one line of the arithmetic in deployment.yaml: "#   600 s  drain: …".
var addend = regexp.MustCompile(`(?m)^ +# +(\d+) s  \w`)

// Kubernetes waits longer than the worker takes to end, by the figures that the file gives.
func TestGracePeriodIsLongEnough(t *testing.T) {
	sum := int64(0)
	addends := addend.FindAllSubmatch(content(t, "kubernetes/deployment.yaml"), -1)
	for _, match := range addends {
		seconds, err := strconv.ParseInt(string(match[1]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += seconds
	}
	grace := *read[*appsv1.Deployment](t, "deployment.yaml").Spec.Template.Spec.TerminationGracePeriodSeconds
	if len(addends) != 3 || grace <= sum {
		t.Errorf("%d s of grace, and %d of work in %d lines", grace, sum, len(addends))
	}
}

// The rules are those that Prometheus loads from docs/alerts.
func TestPrometheusRuleHoldsItsSources(t *testing.T) {
	var want, got []string
	for _, name := range []string{"recording-rules.yml", "alerts.yml"} {
		var rules monitoringv1.PrometheusRuleSpec
		if err := yaml.Unmarshal(content(t, filepath.Join("alerts", name)), &rules); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want = append(want, ruleNames(rules)...)
	}
	got = ruleNames(read[*monitoringv1.PrometheusRule](t, "prometheusrule.yaml").Spec)
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("prometheusrule.yaml has the rules %v, docs/alerts has %v", got, want)
	}
}

// dashboards are the names of the files in docs/dashboards.
func dashboards(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(docsPath(t, "dashboards/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("docs/dashboards has no dashboards: %v", err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

// Both kustomizations hold every file of docs/dashboards, byte for byte, in a ConfigMap of its own that Grafana's
// sidecar finds, whose name is the same after an update, and that `kubectl apply` can annotate with a copy of it.
func TestConfigMapsHoldTheDashboards(t *testing.T) {
	for _, folder := range []string{"dashboards", "kubernetes"} {
		got := make(map[string]string) // file by name of the ConfigMap
		for _, object := range build(t, folder) {
			configMap, ok := object.(*corev1.ConfigMap)
			if !ok {
				continue
			}
			labels := map[string]string{"app.kubernetes.io/part-of": "stagemeter", "grafana_dashboard": "1"}
			if !maps.Equal(configMap.Labels, labels) || len(configMap.Annotations) != 0 || len(configMap.BinaryData) != 0 {
				t.Errorf("%s: %s has labels %v, annotations %v and binary data for %d files",
					folder, configMap.Name, configMap.Labels, configMap.Annotations, len(configMap.BinaryData))
			}
			for name, text := range configMap.Data {
				file := strings.TrimPrefix(name, "stagemeter-") // the sidecar puts the files of all projects into one folder
				got[configMap.Name+" "+name] = file
				if string(content(t, filepath.Join("dashboards", file))) != text {
					t.Errorf("%s: %s is not docs/dashboards/%s", folder, name, file)
				}
				if len(text) > maxAnnotated {
					t.Errorf("%s: %s has %d bytes, too many for an annotation", folder, name, len(text))
				}
			}
		}
		want := make(map[string]string)
		for _, file := range dashboards(t) {
			page := strings.TrimSuffix(file, ".json")
			want["stagemeter-dashboard-"+page+" stagemeter-"+file] = file
		}
		if !maps.Equal(got, want) {
			t.Errorf("docs/%s has the ConfigMaps %v, want %v", folder, got, want)
		}
	}
}

// ruleNames are the names of all rules, recorded and alerting.
func ruleNames(spec monitoringv1.PrometheusRuleSpec) []string {
	var names []string
	for _, group := range spec.Groups {
		for _, rule := range group.Rules {
			names = append(names, rule.Record+rule.Alert)
		}
	}
	return names
}
