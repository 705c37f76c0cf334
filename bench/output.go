package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
)

// Where the document and its chart are, from the root of the repository.
const (
	document = "docs/performance.md"
	picture  = "docs/images/performance.svg"
)

// write writes the tables and the chart to the folder of -o, and, with -docs, into the document.
func write(o options, done []figures.Section) error {
	var chart bytes.Buffer
	if err := figures.WriteChart(&chart, done); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{
		filepath.Join(o.out, "performance.svg"): chart.Bytes(),
		filepath.Join(o.out, "performance.md"):  markdown(o, "performance.svg", done),
	}
	if o.docs {
		files[picture] = chart.Bytes()
	}
	for path, content := range files {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("\nwritten: %s\n", filepath.Join(o.out, "performance.md"))
	if o.docs {
		return figures.Splice(document, markdown(o, "images/performance.svg", done))
	}
	return nil
}

func markdown(o options, chart string, done []figures.Section) []byte {
	var b bytes.Buffer
	figures.WriteMarkdown(&b, about(o.quick), chart, done)
	return b.Bytes()
}

// about tells what ran: the machine as far as it matters, and the versions of the rivals.
func about(quick bool) string {
	kind := "full"
	if quick {
		kind = "quick"
	}
	return fmt.Sprintf("A %s run on %d cores (%s/%s) with %s; %s.",
		kind, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), strings.Join(versions(), ", "))
}

// versions are those of the rivals that this program was built with.
func versions() []string {
	rivals := map[string]string{
		"go.opentelemetry.io/otel":                      "otel",
		"go.opentelemetry.io/otel/exporters/prometheus": "its Prometheus exporter",
		"github.com/prometheus/client_golang":           "client_golang",
		"github.com/VictoriaMetrics/metrics":            "VictoriaMetrics/metrics",
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var all []string
	for _, dep := range info.Deps {
		if name := rivals[dep.Path]; name != "" {
			all = append(all, name+" "+strings.TrimPrefix(dep.Version, "v"))
		}
	}
	return all
}
