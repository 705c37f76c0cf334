package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// jobsWithin is generous: the editor is built with the race detector, and the machine may be busy.
const jobsWithin = 15 * time.Minute

// endWithin is as generous, for a program that was told to end. The wait is over as soon as it has ended.
const endWithin = 5 * time.Minute

// jobReport is what the tests read of a job in the file that smartvideoeditor -json writes.
type jobReport struct {
	ID        string  `json:"id"`
	Input     string  `json:"input"`
	Status    string  `json:"status"`
	ErrorType string  `json:"error_type"`
	Error     string  `json:"error"`
	CostUSD   float64 `json:"cost_usd"`
	Stages    []struct {
		Name    string  `json:"name"`
		Seconds float64 `json:"seconds"`
	} `json:"stages"`
	Output string `json:"output"`
}

// editor is a smartvideoeditor that has ended its jobs and still serves its metrics.
type editor struct {
	*testserver.Process
	metricsURL string
	jobs       []jobReport
}

// runEditor runs smartvideoeditor, serving at addr, until its last job has ended; it then holds on until the
// test ends it.
func runEditor(t *testing.T, addr string, env []string, args ...string) editor {
	t.Helper()
	dir := t.TempDir()
	report := filepath.Join(dir, "report.json")
	cmd := exec.Command(filepath.Join(built(t, "race"), "smartvideoeditor"),
		append([]string{"-listen", addr, "-hold", "1h", "-out", filepath.Join(dir, "out"), "-json", report}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	e := editor{
		Process:    testserver.Start(t, "smartvideoeditor", cmd),
		metricsURL: "http://" + addr + "/metrics",
	}
	e.WaitUntil(t, jobsWithin, func(context.Context) error {
		text, err := os.ReadFile(report)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &e.jobs)
	})
	return e
}
