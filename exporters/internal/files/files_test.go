package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name  string
		bytes int64
		want  string // in the error
	}{
		{"empty", 0, ""}, {"most", Most, ""}, {"more", Most + 1, "more than"}, {"sparse", 1 << 40, "more than"},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, tt.bytes); err != nil {
			t.Fatal(err)
		}
		content, err := Read(path)
		if tt.want == "" && (err != nil || int64(len(content)) != tt.bytes) {
			t.Errorf("%s: %d bytes, %v", tt.name, len(content), err)
		}
		if tt.want != "" && (err == nil || content != nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: %d bytes, %v", tt.name, len(content), err)
		}
	}
	if _, err := Read(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}
