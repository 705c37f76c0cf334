//go:build unix

package ffmpeg_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// runForParent is a program that a test kills: it runs ffmpeg, or a stand-in, until then.
func runForParent(out string) {
	var opt ffmpeg.Option
	if path := os.Getenv("STAGEMETER_TEST_PATH"); path != "" {
		opt = ffmpeg.WithPath(path)
	}
	_, err := ffmpeg.Run(context.Background(), args(endless, "-c:v", "mpeg4"), opt, ffmpeg.WithOutput(out),
		ffmpeg.WithProgress(func(p ffmpeg.Progress) { _, _ = os.Stdout.WriteString("at work\n") }))
	_, _ = os.Stdout.WriteString(err.Error())
}

// atWorkIn starts the program with these variables, and returns when its ffmpeg is at work.
func atWorkIn(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), env...)
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAtLeast(stdout, make([]byte, 8), 8); err != nil {
		t.Fatal(err)
	}
	return program
}

// wrappers run ffmpeg and stay above it, as scripts of package managers and clusters do.
var wrappers = map[string]string{
	"a child":                              `ffmpeg "$@"; exit $?`,
	"a child in the background":            `ffmpeg "$@" & wait $!`,
	"a child of a script that ignores all": `trap "" TERM INT HUP PIPE; ffmpeg "$@"; exit $?`,
	"a group of its own":                   `timeout 600 ffmpeg "$@"; exit $?`,
	"a group of the shell's":               `set -m; ffmpeg "$@" 3>&3 & wait $!`,
	"a session below a group":              `timeout 600 setsid --wait nice ffmpeg "$@"; exit $?`,
}

func TestWrappedFFmpegDiesWithItsProgram(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("elsewhere only the group is ended")
		return
	}
	for name, body := range wrappers {
		t.Run(name, func(t *testing.T) {
			living := family(t)
			wrapper := write(t, "ffmpeg", "#!/bin/bash\n"+body+"\n")
			if err := os.Chmod(wrapper, 0o755); err != nil {
				t.Fatal(err)
			}
			program := atWorkIn(t, "STAGEMETER_TEST_RUN="+filepath.Join(t.TempDir(), "out.mp4"), "STAGEMETER_TEST_PATH="+wrapper)
			if err := program.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = program.Wait()
			wantNone(t, living)
		})
	}
}

func TestWrappedFFmpegIsCanceled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("elsewhere only the group is ended")
		return
	}
	for name, body := range wrappers {
		t.Run(name, func(t *testing.T) {
			living := family(t)
			ctx, cancel := cancelOnProgress(t, nil)
			_, err := ffmpeg.Run(ctx, args(endless, "-f", "null", "-"), script(t, body), cancel, ffmpeg.WithGrace(2*time.Second))
			wantType(t, err, ffmpeg.TypeCanceled)
			wantNone(t, living)
		})
	}
}

// A shell that the program starts beside ffmpeg must not stay behind, nor pass for ffmpeg.
func TestWardenLeavesWithItsProcess(t *testing.T) {
	if _, err := ffmpeg.Run(t.Context(), args(ffmpeg.Input(clip()), "-c", "copy", "-f", "null", "-")); err != nil {
		t.Fatal(err)
	}
	_, err := ffmpeg.Run(t.Context(), nil, ffmpeg.WithPath("no-such-ffmpeg"))
	wantType(t, err, ffmpeg.TypeNoBinary)
	var status syscall.WaitStatus
	if pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("child %d is left: %v", pid, err)
	}
}

func TestKilledProgram(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("elsewhere ffmpeg goes on by itself")
		return
	}
	living := family(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out.mp4")
	program := atWorkIn(t, "STAGEMETER_TEST_RUN="+out)
	alive, err := filepath.Glob(dir + "/.stagemeter-*.mp4")
	if err != nil || len(alive) != 1 {
		t.Fatalf("temporary files: %v, %v", alive, err)
	}

	short := args(ffmpeg.Input(clip()), "-t", "0.2", "-c:v", "mpeg4")
	if _, err := ffmpeg.Run(t.Context(), short, ffmpeg.WithOutput(out)); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, filepath.Base(alive[0]), "out.mp4") // what a living program writes is left alone

	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait()
	wantNone(t, living)
	wantFiles(t, dir, filepath.Base(alive[0]), "out.mp4")
	if _, err := ffmpeg.Run(t.Context(), short, ffmpeg.WithOutput(out)); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "out.mp4")
}
