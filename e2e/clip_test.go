package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stagemeter/stagemeter/e2e/internal/clip"
)

// speechClip makes a video in which a voice speaks over scenes of different loudness, seconds long.
func speechClip(t *testing.T, name string, seconds int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := clip.Speech(t.Context(), path, seconds); err != nil {
		t.Fatal(err)
	}
	return path
}
