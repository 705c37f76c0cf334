//go:build unix

package ffmpeg_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// media is the folder of the clips that the tests share.
var media string

func TestMain(m *testing.M) {
	if args := os.Getenv("STAGEMETER_TEST_RUN"); args != "" {
		runForParent(args)
		return
	}
	for _, binary := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(binary); err != nil {
			fmt.Fprintln(os.Stderr, "these tests need ffmpeg and ffprobe:", err)
			os.Exit(1)
		}
	}
	var err error
	if media, err = os.MkdirTemp("", "stagemeter-ffmpeg-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = os.Setenv("TMPDIR", media) // the examples write beside nobody else's files
	instrument.Default()           // says once that nothing is measured, here and not in whichever test comes first
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(media)
		os.Exit(code)
	}))
}

// clip is 4 s of picture (25 frames per second, 160x120) and sound, with its index in front.
var clip = made("clip.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=4", "-f", "lavfi", "-i", "sine=d=4",
	"-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-movflags", "+faststart")

// made makes a file with ffmpeg when it is first asked for.
func made(name string, args ...string) func() string {
	return sync.OnceValue(func() string {
		path := filepath.Join(media, name)
		args := append([]string{"-nostdin", "-v", "error", "-y"}, args...)
		if out, err := exec.Command("ffmpeg", append(args, path)...).CombinedOutput(); err != nil {
			panic(fmt.Sprintf("ffmpeg %q: %v\n%s", args, err, out))
		}
		return path
	})
}

// cut is the first part of a file.
func cut(t *testing.T, path string, share float64) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "cut"+filepath.Ext(path), string(b[:int(float64(len(b))*share)]))
}

// write makes a file in a folder of its own.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// script stands in for ffmpeg where a test needs a process that behaves in a way that ffmpeg can't be brought to.
func script(t *testing.T, body string) ffmpeg.Option {
	t.Helper()
	path := write(t, "ffmpeg.sh", "#!/bin/bash\n"+body+"\n")
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return ffmpeg.WithPath(path)
}

// endless is an input that never ends, at the speed of the clock.
var endless = []string{"-re", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=25"}

func args(parts ...any) []string {
	var all []string
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			all = append(all, p)
		case []string:
			all = append(all, p...)
		}
	}
	return all
}

// wantType fails the test unless err is an *ffmpeg.Error of the type.
func wantType(t *testing.T, err error, want string) *ffmpeg.Error {
	t.Helper()
	var e *ffmpeg.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T (%v), want an *ffmpeg.Error of type %s", err, err, want)
	}
	if e.ErrorType() != want {
		t.Fatalf("error type is %q, want %q\n%v\n%s", e.ErrorType(), want, err, e.Stderr)
	}
	return e
}

// family marks all processes that the test starts, and tells which of them live.
func family(t *testing.T) (living func() []string) {
	t.Helper()
	mark := fmt.Sprintf("STAGEMETER_TEST_FAMILY=%s-%d", t.Name(), time.Now().UnixNano())
	name, value, _ := strings.Cut(mark, "=")
	t.Setenv(name, value)
	living = func() []string {
		var found []string
		environs, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil || len(environs) == 0 {
			t.Fatalf("no /proc to look for processes in: %v", err)
		}
		for _, path := range environs {
			// A process that is gone, or a zombie, has no environment.
			if b, err := os.ReadFile(path); err == nil && strings.Contains("\x00"+string(b), "\x00"+mark+"\x00") {
				found = append(found, filepath.Base(filepath.Dir(path)))
			}
		}
		return found
	}
	t.Cleanup(func() { // what a failure leaves
		for _, pid := range living() {
			n, _ := strconv.Atoi(pid)
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	})
	return living
}

func wantNone(t *testing.T, living func() []string) {
	t.Helper()
	pids := living()
	for deadline := time.Now().Add(10 * time.Second); len(pids) > 0; pids = living() { // one that is killed may not have ended yet
		if time.Now().After(deadline) {
			t.Errorf("processes %v have survived", pids)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// wantFiles fails the test unless the folder holds exactly the files.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

// cancelOnProgress is a context and a progress function that ends it once ffmpeg is at work.
func cancelOnProgress(t *testing.T, cause error) (context.Context, ffmpeg.Option) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	return ctx, ffmpeg.WithProgress(func(ffmpeg.Progress) { cancel(cause) })
}
