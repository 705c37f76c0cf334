package main

import (
	"bytes"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// Whatever a user has on the disk: it is edited, or it is refused for a reason with a name, and
// neither keeps the others from being edited.
func TestInputs(t *testing.T) {
	t.Parallel()
	folder, out := t.TempDir(), t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	file := func(name string, data []byte) string {
		if err := os.WriteFile(in(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return in(name)
	}
	upright := makeMedia(t, in("upright.mp4"), args(picture, h264, []string{"-movflags", "+faststart"})...)
	whole, err := os.ReadFile(upright)
	if err != nil {
		t.Fatal(err)
	}

	good := []struct {
		name  string
		path  string
		sound bool // in the reel
		check func(*testing.T, summary.Job, probed)
	}{
		{"no audio", makeMedia(t, in("noaudio.mp4"), args(picture, h264)...), false, func(t *testing.T, j summary.Job, _ probed) {
			if j.LoudnessSpreadBeforeLU != nil || j.CostUSD != 0 {
				t.Errorf("spread %v and cost %v of a sound that is not there", j.LoudnessSpreadBeforeLU, j.CostUSD)
			}
		}},
		{"two audio tracks", makeMedia(t, in("tracks.mkv"), args(picture, tone, []string{"-f", "lavfi", "-i", "anullsrc=d=2",
			"-map", "0", "-map", "1", "-map", "2"}, h264)...), true, func(t *testing.T, j summary.Job, _ probed) {
			if j.LoudnessSpreadBeforeLU == nil {
				t.Error("the first track has a tone, the second silence: nothing was heard")
			}
		}},
		{"variable frame rate", makeMedia(t, in("vfr.mkv"), args(picture, tone,
			[]string{"-vf", `select=not(mod(n\,3))+gt(t\,1)`, "-fps_mode", "vfr"}, h264)...), true, nil},
		{"chapters, whose times are not the reel's", makeMedia(t, in("chapters.mkv"), args(picture, []string{"-i",
			file("chapters.txt", []byte(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=one\n"))}, h264)...), false, nil},
		{"rotated", makeMedia(t, in("phone.mp4"), "-i", upright, "-c", "copy", "-metadata:s:v", "rotate=90"), false,
			func(t *testing.T, _ summary.Job, p probed) {
				if v := p.Streams[0]; v.Width != 240 || v.Height != 320 || len(v.SideData) > 0 {
					t.Errorf("the reel is %dx%d with %v, want 240x320 upright", v.Width, v.Height, v.SideData)
				}
			}},
		{"10-bit HEVC", makeMedia(t, in("hevc.mp4"), args(picture, []string{"-c:v", "libx265", "-preset", "ultrafast",
			"-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"})...), false, func(t *testing.T, _ summary.Job, p probed) {
			if p.Streams[0].Format != "yuv420p" {
				t.Errorf("the reel is %s, want yuv420p, which every player shows", p.Streams[0].Format)
			}
		}},
		{"HDR", makeMedia(t, in("hdr.mp4"), args(picture, hdr("smpte2084"))...), false, toneMapped},
		{"HLG without its other tags", makeMedia(t, in("hlg.mp4"), args(picture, hdr("arib-std-b67"))...), false, toneMapped},
		{"interlaced", makeMedia(t, in("interlaced.mpg"), args(picture, tone, []string{"-vf", "tinterlace=interleave_top,fieldorder=tff",
			"-flags", "+ildct+ilme", "-c:v", "mpeg2video", "-c:a", "mp2"})...), true, nil},
		{"one pixel", makeMedia(t, in("pixel.mkv"), args(picture, []string{"-vf", "scale=1:1", "-c:v", "ffv1", "-pix_fmt", "yuv444p"})...), false, nil},
		{"a cut by an edit list", makeMedia(t, in("edited.mp4"), "-ss", "0.7", "-i", upright, "-c", "copy"), false, nil},
		{"one frame that cannot be sought", makeMedia(t, in("frame.mkv"), args(picture, []string{"-frames:v", "1", "-c:v", "mjpeg"})...), false, nil},
		{"a cover beside the video", makeMedia(t, in("covered.mp4"), "-i", upright,
			"-i", makeMedia(t, in("cover.png"), args(picture, []string{"-frames:v", "1"})...),
			"-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic"), false, nil},
		{"under a second", makeMedia(t, in("short.mp4"), args(picture, tone, []string{"-t", "0.4"}, h264)...), true, nil},
		{"one frame", makeMedia(t, in("frame.mp4"), args(picture, []string{"-frames:v", "1"}, h264)...), false, nil},
		{"silent", makeMedia(t, in("silent.mp4"), args(picture, []string{"-f", "lavfi", "-i", "anullsrc=d=2"}, h264)...), true,
			func(t *testing.T, j summary.Job, _ probed) {
				if j.LoudnessSpreadBeforeLU != nil || j.CostUSD != 0 {
					t.Errorf("spread %v and cost %v of silence", j.LoudnessSpreadBeforeLU, j.CostUSD)
				}
			}},
		{"spaces and quotes", makeMedia(t, in(`it's a "quoted" [name]: 100%, -y.mp4`), args(picture, tone, h264)...), true, nil},
		{"odd sides", makeMedia(t, in("odd.mkv"), args(picture, []string{"-vf", "crop=319:239,setsar=4/3", "-c:v", "ffv1"})...), false,
			func(t *testing.T, _ summary.Job, p probed) {
				if v := p.Streams[0]; v.Width%2 != 0 || v.Height%2 != 0 {
					t.Errorf("the reel is %dx%d", v.Width, v.Height)
				}
			}},
	}
	bad := []struct{ name, path, errorType string }{
		{"audio only", makeMedia(t, in("song.m4a"), args(tone)...), "audio_only"},
		{"audio with a cover", makeMedia(t, in("cover.mp3"), args(tone, picture, []string{"-frames:v", "1",
			"-map", "0", "-map", "1", "-disposition:v", "attached_pic"})...), "audio_only"},
		{"truncated", file("truncated.mp4", whole[:len(whole)/2]), "truncated"},
		{"its first bytes alone", file("head.mp4", whole[:200]), "no_video"},
		{"empty", file("empty.mp4", nil), "empty_file"},
		{"a text", file("text.mp4", bytes.Repeat([]byte("no video\n"), 1000)), "invalid_data"},
		{"a picture", makeMedia(t, in("photo.png"), args(picture, []string{"-frames:v", "1"})...), "format_blocked"},
		{"a folder", folder, "not_a_file"},
		{"missing", in("missing.mp4"), "not_found"},
	}

	command := []string{"-out", out}
	for _, g := range good {
		command = append(command, g.path)
	}
	for _, b := range bad {
		command = append(command, b.path)
	}
	r := edit(t, command...)
	if r.exit != 1 {
		t.Errorf("exit status %d, want 1: some jobs have failed", r.exit)
	}
	if len(r.jobs) != len(good)+len(bad) {
		t.Fatalf("%d jobs are reported, want %d", len(r.jobs), len(good)+len(bad))
	}

	want := map[string]float64{
		`jobs_total{status="queued"}`:     float64(len(good) + len(bad)),
		`jobs_total{status="processing"}`: float64(len(good) + len(bad)),
		`jobs_total{status="completed"}`:  float64(len(good)),
		`jobs_total{status="failed"}`:     float64(len(bad)),
		`jobs_total{status="canceled"}`:   0,
		`jobs_in_progress`:                0,
		`ffmpeg_processes`:                0,
	}
	for i, g := range good {
		t.Run(g.name, func(t *testing.T) {
			job := r.jobs[i]
			if job.Status != summary.Completed || job.Input != g.path || len(job.Stages) != len(allStages) || job.Segments < 1 || job.Highlights < 1 {
				t.Fatalf("got %+v", job)
			}
			p := playable(t, job.Output)
			if sound := len(p.Streams) == 2; sound != g.sound {
				t.Errorf("the reel has %d streams", len(p.Streams))
			}
			if after := job.LoudnessSpreadAfterLU; after != nil && (*after < 0 || *after >= 1) {
				t.Errorf("the loudness spread is %v LU after normalization", *after)
			}
			if g.check != nil {
				g.check(t, job, p)
			}
		})
	}
	for i, b := range bad {
		t.Run(b.name, func(t *testing.T) {
			job := r.jobs[len(good)+i]
			if job.Status != summary.Failed || job.Input != b.path || job.ErrorType != b.errorType || job.Error == "" || job.Output != "" {
				t.Errorf("got %+v, want an error of type %s", job, b.errorType)
			}
		})
		want[`errors_total{error_type="`+b.errorType+`",stage="validation"}`]++
	}
	r.metrics.want(t, want)

	files := reels(t, out)
	for _, job := range r.jobs {
		delete(files, job.Output)
	}
	if len(files) > 0 {
		t.Errorf("beside the reels there is %v", files)
	}
	if left, err := os.ReadDir(filepath.Join(out, ".smartvideoeditor", "work")); err != nil || len(left) > 0 {
		t.Errorf("jobs that have ended have left %v, %v", left, err)
	}
}

// hdr returns the options that encode a picture for a bright display.
func hdr(transfer string) []string {
	return []string{"-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-color_trc", transfer,
		"-x265-params", "log-level=none:transfer=" + transfer}
}

// toneMapped sees that a reel is for any display, and says so.
func toneMapped(t *testing.T, _ summary.Job, p probed) {
	if v := p.Streams[0]; v.Format != "yuv420p" || v.Transfer != "bt709" || v.Matrix != "bt709" {
		t.Errorf("the reel is %s with %s and %s, want yuv420p with bt709", v.Format, v.Transfer, v.Matrix)
	}
}

// Root reads everything, so the program runs as nobody.
func TestUnreadableInput(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "smartvideoeditor-unreadable-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	secret := makeMedia(t, filepath.Join(folder, "secret.mp4"), args(picture, h264)...)
	public := makeMedia(t, filepath.Join(folder, "public.mp4"), args(picture, h264)...)
	if err := os.Chmod(secret, 0); err != nil {
		t.Fatal(err)
	}
	var as *syscall.Credential
	if os.Geteuid() == 0 {
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, err := strconv.Atoi(nobody.Uid)
		if err != nil {
			t.Fatal(err)
		}
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
		if err := os.Chown(folder, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(public, 0o644); err != nil {
		t.Fatal(err)
	}
	r := setting{user: as, folder: folder}.start(t, "-out", filepath.Join(folder, "out"), secret, public).wait(t)
	if len(r.jobs) != 2 {
		t.Fatalf("%d jobs are reported", len(r.jobs))
	}
	if job := r.jobs[0]; job.Status != summary.Failed || job.ErrorType != "permission" || !strings.Contains(job.Error, "permission denied") {
		t.Errorf("got %+v", job)
	}
	if job := r.jobs[1]; job.Status != summary.Completed {
		t.Errorf("got %+v", job)
	}
	r.metrics.want(t, map[string]float64{`errors_total{error_type="permission",stage="validation"}`: 1})
}
