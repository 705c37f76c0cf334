package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// TestKubernetesDeployment runs the quickstart under the environment of docs/kubernetes/deployment.yaml and asks
// what its probes ask. Its series tell apart by the pod's name, and the traces go to the collector that it names.
func TestKubernetesDeployment(t *testing.T) {
	t.Parallel()
	addr, backendAddr := testserver.FreeAddr(t), testserver.FreeAddr(t)
	c := docsConfig(t, "kubernetes/deployment.yaml", map[string]string{"otel-collector:4317": backendAddr})
	containers := c.at("spec", "template", "spec").list("containers")
	if len(containers) != 1 {
		t.Fatalf("%d containers, want 1", len(containers))
	}
	pod := map[string]string{"metadata.name": "video-worker-abc", "metadata.namespace": "video"}
	var env []string
	expand := strings.NewReplacer("$(POD_NAME)", pod["metadata.name"], "$(POD_NAMESPACE)", pod["metadata.namespace"])
	for _, v := range containers[0].list("env") {
		value, ok := v["value"].(string)
		if !ok {
			value = pod[fmt.Sprint(v.at("valueFrom", "fieldRef")["fieldPath"])]
		}
		if v["name"] != "TMPDIR" { // a volume that is not here
			env = append(env, fmt.Sprintf("%s=%s", v["name"], expand.Replace(value)))
		}
	}
	p := docsPrometheus(t, testserver.FreeAddr(t), "scrape.yml", map[string]string{readmeMetrics: addr})
	backend := startCollector(t, readmeCollector(t, backendAddr, testserver.FreeAddr(t)), backendAddr, p.url)
	worker := startQuickstart(t, addr, env...)
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		get := containers[0].at(probe, "httpGet")
		worker.WaitReady(t, func(ctx context.Context) error { return getOK(ctx, "http://"+addr+fmt.Sprint(get["path"])) })
	}
	eventually(t, func() error {
		return positive(t, p, `count(target_info{job="video-worker",service_instance_id="video-worker-abc",`+
			`k8s_namespace_name="video"})`)
	})
	eventually(t, func() error {
		if len(backend.spans(t)) == 0 {
			return fmt.Errorf("the collector that the Deployment names has received no span")
		}
		return nil
	})
	if pushed := p.query(t, `video_processing_jobs_total{instance="video-worker-abc"} or `+
		`video_processing_jobs_total{job="quickstart"}`); len(pushed) > 0 {
		t.Error("metrics are pushed besides being scraped: they would be counted twice")
	}
	if strings.Contains(worker.Output(), "telemetry:") {
		t.Errorf("the settings are not all understood:\n%s", worker.Output())
	}
}
