package dashboards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
)

var update = flag.Bool("update", false, "write docs/dashboards instead of comparing with it")

// folder is where the generated files are kept.
const folder = "../../../docs/dashboards"

// What is in docs/dashboards is what the code makes; go test ./monitoring/internal/dashboards -update writes it.
func TestFilesAreClean(t *testing.T) {
	files, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		path := filepath.Join(folder, name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is stale (%v): run this test with -update", name, err)
		}
	}
	kept, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		if files[filepath.Base(path)] == nil {
			t.Errorf("%s is left over", path)
		}
	}
}

func TestGenerateIsStable(t *testing.T) {
	first, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := Generate()
		if err != nil {
			t.Fatal(err)
		}
		for name := range first {
			if !bytes.Equal(first[name], again[name]) {
				t.Errorf("%s differs from one run to the next", name)
			}
		}
	}
}

// A metric that leaves the registry can't stay.
func TestGenerateRefusesUnknownMetrics(t *testing.T) {
	_, err := generate(registry.Metrics()[1:], pages)
	if err == nil || !strings.Contains(err.Error(), "no such metric") {
		t.Errorf("error %v", err)
	}
}

func TestLayOut(t *testing.T) {
	for _, tt := range []struct {
		reason string
		sizes  [][2]int
		want   string // a part of the error; empty: none
	}{
		{"one full line", [][2]int{{12, 8}, {12, 8}}, ""},
		{"two lines of different heights", [][2]int{{24, 4}, {8, 8}, {16, 8}}, ""},
		{"a hole at the end", [][2]int{{12, 8}, {8, 8}}, "is not full"},
		{"a panel over the edge", [][2]int{{16, 8}, {12, 8}}, "does not fit"},
		{"a panel that would leave a hole below it", [][2]int{{12, 8}, {12, 6}}, "not as high"},
	} {
		var r row
		for _, size := range tt.sizes {
			r.panels = append(r.panels, new(panel).size(size[0], size[1]))
		}
		err := (&dashboard{rows: []row{r}}).layOut()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.reason, err, tt.want)
		}
	}
}
