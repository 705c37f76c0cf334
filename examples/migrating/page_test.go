package migrating

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const pagePath = "../../docs/migrating-from-python.md"

// calls are all calls that the Python module offers.
var calls = []string{
	"start_http_server", "increment_job", "with_job_tracking", "track_cost", "track_api_cost", "set_budget_remaining",
	"track_processing_time", "track_processing_stage", "track_audio_spread", "track_audio_normalization",
	"track_segments_detected", "track_highlight_score", "track_error", "track_ffmpeg_process_start",
	"track_ffmpeg_process_end", "update_system_metrics", "reading a metric in a test",
}

// The page shows the code of this folder, all of it and nothing else.
func TestPageShowsThisCode(t *testing.T) {
	page, code := pageBlocks(t), codeRegions(t)
	for name, block := range page {
		region, ok := code[name]
		switch {
		case !ok:
			t.Errorf("the page has a block %q that is not in this folder", name)
		case region != block:
			t.Errorf("block %q differs.\nThe page:\n%s\nThis folder:\n%s", name, block, region)
		}
	}
	for name := range code {
		if _, ok := page[name]; !ok {
			t.Errorf("%q is not on the page", name)
		}
	}
}

func TestPageHasEveryCall(t *testing.T) {
	var shown []string
	for name := range pageBlocks(t) {
		shown = append(shown, strings.Split(name, ", ")...)
	}
	all := "\n" + strings.Join(shown, "\n") + "\n"
	for _, call := range calls {
		if !strings.Contains(all, "\n"+call+"\n") {
			t.Errorf("the page shows no Go for %s", call)
		}
	}
}

// pageBlocks returns the page's blocks of Go, by the name after the language.
func pageBlocks(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	blocks := make(map[string]string)
	for _, m := range regexp.MustCompile("(?ms)^( *)```go(.*?)\n(.*?)^ *```$").FindAllStringSubmatch(string(page), -1) {
		name := strings.TrimSpace(m[2])
		if _, twice := blocks[name]; twice || name == "" {
			t.Errorf("a block of the page is named %q: each has a name of its own", name)
		}
		blocks[name] = outdent(m[3], m[1])
	}
	return blocks
}

// codeRegions returns the code of this folder between a comment "page" and the next comment "end",
// by the name in the first.
func codeRegions(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	regions := make(map[string]string)
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?ms)^(\t*)// page: ([^\n]*)\n(.*?)^\t*// end$`).FindAllStringSubmatch(string(code), -1) {
			regions[m[2]] = outdent(m[3], m[1])
		}
	}
	return regions
}

// outdent removes an indentation from each line, and blank lines at both ends.
func outdent(text, indent string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimPrefix(line, indent))
	}
	return strings.Trim(b.String(), "\n") + "\n"
}
