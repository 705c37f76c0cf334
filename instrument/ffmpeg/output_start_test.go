package ffmpeg

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Two jobs that render to one name at the same time: the last to finish wins, and none loses its file meanwhile to
// the other's look for what a killed program has left.
func TestManyOutputsOfOneNameStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.mp4")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				o, err := newOutput(path)
				if err != nil {
					t.Error(err)
					return
				}
				runtime.Gosched()
				if _, err := os.Stat(o.temp); err != nil {
					t.Errorf("the file in use is gone: %v", err)
				}
				o.discard()
			}
		})
	}
	wg.Wait()
}
