package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The addresses that README.md and the configuration files in docs name.
const (
	readmeMetrics      = "localhost:9099" // the program's own
	readmeOTLP         = "localhost:4317"
	readmeCollectorOut = "localhost:8889" // the collector's prometheus exporter
)

// readmeSnippet is the block of README.md that is fenced as "```yaml name".
func readmeSnippet(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := fencedBlock(string(text), name)
	if err != nil {
		t.Fatalf("README.md: %v", err)
	}
	return body
}

func fencedBlock(markdown, name string) (string, error) {
	_, rest, found := strings.Cut(markdown, "```yaml "+name+"\n")
	body, _, closed := strings.Cut(rest, "\n```")
	if !found || !closed {
		return "", fmt.Errorf("no block fenced as %q", "```yaml "+name)
	}
	return body + "\n", nil
}

// atAddresses replaces, in a snippet, each documented address by the one that the test uses, and fails if one
// is not there.
func atAddresses(t *testing.T, snippet string, addresses map[string]string) string {
	t.Helper()
	for documented, actual := range addresses {
		if !strings.Contains(snippet, documented) {
			t.Fatalf("the documented configuration does not name %s:\n%s", documented, snippet)
		}
		snippet = strings.ReplaceAll(snippet, documented, actual)
	}
	return snippet
}

// config is a configuration file in memory.
type config map[string]any

func parseConfig(t *testing.T, text string) config {
	t.Helper()
	var c config
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return c
}

// at is the mapping at a path of keys, made where it is missing.
func (c config) at(keys ...string) config {
	for _, key := range keys {
		next, ok := c[key].(config)
		if !ok {
			next = config{}
			c[key] = next
		}
		c = next
	}
	return c
}

// list is the sequence of mappings under a key.
func (c config) list(key string) []config {
	var all []config
	items, _ := c[key].([]any)
	for _, item := range items {
		if mapping, ok := item.(config); ok {
			all = append(all, mapping)
		}
	}
	return all
}

// write writes the configuration into a folder of the test and returns the file's path.
func (c config) write(t *testing.T, name string) string {
	t.Helper()
	text, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
