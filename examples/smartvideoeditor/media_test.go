package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// makeMedia makes a media file with ffmpeg.
func makeMedia(t *testing.T, path string, args ...string) string {
	t.Helper()
	args = append(append([]string{"-nostdin", "-v", "error", "-y"}, args...), "file:"+path)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %q: %v: %s", args, err, out)
	}
	return path
}

// Parts of ffmpeg's command line.
var (
	picture = []string{"-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=2"}
	tone    = []string{"-f", "lavfi", "-i", "sine=f=440:d=2"}
	h264    = []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"}
)

func args(parts ...[]string) (all []string) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// talkingVideo is a video of two scenes of three seconds, in which a voice speaks first loud, then
// low.
func talkingVideo(t *testing.T) string {
	t.Helper()
	const graph = "testsrc2=s=320x240:r=25:d=3[v0];smptehdbars=s=320x240:r=25:d=3[v1];[v0][v1]concat=n=2:v=1:a=0[v];" +
		"flite=text='This is a smart video editor.':voice=slt,apad=whole_dur=3,atrim=duration=3[a0];" +
		"flite=text='The voice is very quiet.':voice=slt,volume=-18dB,apad=whole_dur=3,atrim=duration=3[a1];" +
		"[a0][a1]concat=n=2:v=0:a=1,aresample=48000,asetnsamples=n=1024:p=0[a]"
	return makeMedia(t, filepath.Join(t.TempDir(), "talking.mp4"),
		args([]string{"-filter_complex", graph, "-map", "[v]", "-map", "[a]"}, h264, []string{"-c:a", "aac"})...)
}

// hangingRender is a folder with an ffmpeg that never ends a rendering, and is ffmpeg in all else.
// With it a run can be ended in the middle of its last stage, however fast the machine is.
func hangingRender(t *testing.T) string {
	t.Helper()
	real, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *concat=n=*) exec sleep 3600 ;; esac\nexec '%s' \"$@\"\n", real)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ffmpeg"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// probed is ffprobe's description of a file that it can read to its end.
type probed struct {
	Streams []struct {
		Type     string `json:"codec_type"`
		Codec    string `json:"codec_name"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		Format   string `json:"pix_fmt"`
		Frames   string `json:"nb_read_frames"`
		Duration string `json:"duration"` // in seconds
		Transfer string `json:"color_transfer"`
		Matrix   string `json:"color_space"`
		SideData []struct {
			Rotation float64 `json:"rotation"`
		} `json:"side_data_list"`
	} `json:"streams"`
}

// playable sees that each frame of a file can be decoded.
func playable(t *testing.T, path string) probed {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", path, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%s does not play: %v: %s", path, err, out)
	}
	out, err = exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", path).Output()
	if err != nil {
		t.Fatalf("ffprobe %s: %v", path, err)
	}
	var p probed
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}
