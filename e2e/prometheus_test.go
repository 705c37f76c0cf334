package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// prometheus is a running Prometheus server.
type prometheus struct {
	promapi.API
	url string
}

// startPrometheus starts a Prometheus at addr that scrapes as configured and takes OTLP at /api/v1/otlp, and
// remote writes at /api/v1/write. It keeps exemplars, and puts the metric's type on each series as the label
// __type__.
func startPrometheus(t *testing.T, addr string, c config) prometheus {
	t.Helper()
	cmd := exec.Command(built(t, "prometheus"),
		"--config.file="+c.write(t, "prometheus.yml"),
		"--storage.tsdb.path="+t.TempDir(),
		"--web.listen-address="+addr,
		"--web.enable-otlp-receiver",
		"--web.enable-remote-write-receiver",
		"--enable-feature=exemplar-storage,type-and-unit-labels",
		"--log.level=warn",
	)
	process := testserver.Start(t, "prometheus", cmd)
	url := "http://" + addr
	process.WaitReady(t, func(ctx context.Context) error { return getOK(ctx, url+"/-/ready") })
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		t.Fatal(err)
	}
	return prometheus{API: promapi.NewAPI(client), url: url}
}

// query evaluates a PromQL expression now, and fails the test if it does not give a vector.
func (p prometheus) query(t *testing.T, expr string) model.Vector {
	t.Helper()
	value, warnings, _, err := p.Query(t.Context(), expr, time.Now())
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	for _, warning := range warnings {
		t.Errorf("%s: %s", expr, warning)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		t.Fatalf("%s gives a %s, not a vector", expr, value.Type())
	}
	return vector
}

// traceIDs are those of all exemplars of the series that expr selects.
func (p prometheus) traceIDs(t *testing.T, expr string) map[string]bool {
	t.Helper()
	now := time.Now()
	results, err := p.QueryExemplars(t.Context(), expr, now.Add(-time.Hour), now.Add(time.Minute))
	if err != nil {
		t.Fatalf("exemplars of %s: %v", expr, err)
	}
	ids := make(map[string]bool)
	for _, result := range results {
		for _, exemplar := range result.Exemplars {
			if id := exemplar.Labels["trace_id"]; id != "" {
				ids[string(id)] = true
			}
		}
	}
	return ids
}

// getOK returns nil if a GET of url answers 200.
func getOK(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return nil
}
