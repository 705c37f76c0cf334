package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/instrument"
)

// When the program is done, so is all that it started: servers, pools, exporters, the speech
// service, ffmpeg.
func TestRunLeavesNoGoroutines(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	folder := t.TempDir()
	stderr, err := os.Create(filepath.Join(folder, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	defer instrument.SetDefault(instrument.Default())() // run sets its own
	video := makeMedia(t, filepath.Join(folder, "v.mp4"), args(picture, tone, h264)...)
	c, err := parse([]string{"-listen", "127.0.0.1:0", "-redis", "redis://127.0.0.1:1", "-out", filepath.Join(folder, "out"), video}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if completed, err := run(t.Context(), c, io.Discard, stderr); !completed || err != nil {
		said, _ := os.ReadFile(stderr.Name()) // only for the message
		t.Errorf("completed is %v, %v\n%s", completed, err, said)
	}
}
