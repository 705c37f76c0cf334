package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/exporters/internal/files"
)

// A web config file and the files that it names have a bound: each is read again at every request.
func TestFilesThatAreTooLarge(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	good := webConfig(t, ca, "RequireAndVerifyClientCert", "", "")
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "large.pem")
	if err := os.WriteFile(large, []byte(strings.Repeat("\n", files.Most+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readProtection(good); err != nil {
		t.Fatal(err)
	}
	if _, err := readProtection(large); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a large web config file: %v", err)
	}
	named := 0
	for line := range strings.Lines(string(content)) {
		key, _, found := strings.Cut(line, "_file:")
		if !found {
			continue
		}
		named++
		other := filepath.Join(t.TempDir(), "web.yml")
		if err := os.WriteFile(other, []byte(strings.Replace(string(content), line, key+"_file: "+large+"\n", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readProtection(other); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("a large%s file: %v", key, err)
		}
	}
	if named != 3 {
		t.Errorf("%d files are named, want 3:\n%s", named, content)
	}
}
