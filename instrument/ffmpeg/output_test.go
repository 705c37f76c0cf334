//go:build unix

package ffmpeg_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

func TestOutputIsWholeOrNotThere(t *testing.T) {
	small := script(t, `trap "" XFSZ; ulimit -f 20; exec ffmpeg "$@"`) // blocks of 1 KiB
	tests := map[string]struct {
		args   []string
		opt    ffmpeg.Option
		before string // what the file holds before, "" if there is none
		want   string // error type, "" is success
	}{
		"success":                         {args: args(ffmpeg.Input(clip()), "-c", "copy")},
		"success in place of an old file": {args: args(ffmpeg.Input(clip()), "-c", "copy"), before: "old"},
		"failure before the first byte":   {args: args(ffmpeg.Input(clip()), "-c:v", "no-such"), want: ffmpeg.TypeUnknownEncoder},
		"failure keeps the old file":      {args: args(ffmpeg.Input(clip()), "-c:v", "no-such"), before: "old", want: ffmpeg.TypeUnknownEncoder},
		"failure after half of it": {
			args: args("-xerror", ffmpeg.Input(cut(t, clip(), 0.7)), "-c", "copy"), before: "old", want: ffmpeg.TypeTruncated,
		},
		"nothing, which ffmpeg calls a success": {
			args: args("-ss", "100", ffmpeg.Input(clip()), "-c:v", "mpeg4"), before: "old", want: ffmpeg.TypeEmptyOutput,
		},
		"the disk is full": {args: args(ffmpeg.Input(clip()), "-c", "copy"), opt: small, before: "old", want: ffmpeg.TypeNoSpace},
		"the disk is full at the very end, which ffmpeg calls a success": {
			args: args(ffmpeg.Input(clip()), "-c:a", "copy", "-vn", "-t", "2.4", "-f", "adts"), opt: small, before: "old", want: ffmpeg.TypeNoSpace,
		},
		"sound, but not a frame of the picture": {
			args:   args("-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "testsrc2=d=1", "-map", "0:a", "-map", "1:v", "-frames:v", "0"),
			before: "old", want: ffmpeg.TypeEmptyOutput,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "out.mp4")
			if tt.before != "" {
				if err := os.WriteFile(path, []byte(tt.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			res, err := ffmpeg.Run(t.Context(), tt.args, tt.opt, ffmpeg.WithOutput(path))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				wantFiles(t, dir, "out.mp4")
				if _, err := ffmpeg.Check(t.Context(), path); err != nil {
					t.Error(err)
				}
				if info, err := os.Stat(path); err != nil || info.Size() != res.Size || info.Mode().Perm()&0o044 == 0 {
					t.Errorf("size %d, said to be %d; mode %v as ffmpeg would make it; %v", info.Size(), res.Size, info.Mode(), err)
				}
				return
			}
			wantType(t, err, tt.want)
			if tt.before == "" {
				wantFiles(t, dir)
				return
			}
			wantFiles(t, dir, "out.mp4")
			if b, err := os.ReadFile(path); err != nil || string(b) != tt.before {
				t.Errorf("the old file holds %d bytes, %v", len(b), err)
			}
		})
	}
}

func TestErrorNamesTheOutputNotItsTemporaryName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.unknown")
	_, err := ffmpeg.Run(t.Context(), ffmpeg.Input(clip()), ffmpeg.WithOutput(path))
	e := wantType(t, err, ffmpeg.TypeUnknownFormat)
	want := "ffmpeg run: unknown_format: [NULL] Unable to find a suitable output format for '" + path + "': exit status 1"
	if e.Error() != want {
		t.Errorf("got  %s\nwant %s", e, want)
	}
}

func TestRunsToTheSameOutput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.mp4")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := ffmpeg.Run(t.Context(), args(ffmpeg.Input(clip()), "-c", "copy"), ffmpeg.WithOutput(path)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantFiles(t, dir, "out.mp4")
	if _, err := ffmpeg.Check(t.Context(), path); err != nil {
		t.Error(err)
	}
}

// A file may be edited in place: its old content is read until the new one is whole.
func TestOutputIsInput(t *testing.T) {
	b, err := os.ReadFile(clip())
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "film.mp4", string(b))
	if _, err := ffmpeg.Run(t.Context(), args(ffmpeg.Input(path), "-c", "copy", "-t", "1"), ffmpeg.WithOutput(path)); err != nil {
		t.Fatal(err)
	}
	info, err := ffmpeg.Probe(t.Context(), path)
	if err != nil || info.Duration().Round(1e8) != 1e9 {
		t.Errorf("%v, %v", info.Duration(), err)
	}
}

func TestAnyNameIsTheNameOfAFile(t *testing.T) {
	b, err := os.ReadFile(clip())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{
		"with space.mp4", "it's \"quoted\".mp4", "-y.mp4", "-.mp4", "100% %03d %s.mp4", "http:evil.mp4", "concat:a|b.mp4", "pipe:0.mp4",
		"file:x.mp4", "a:b,c;d[e]{f}$(g)`h`*?.mp4", "back\\slash.mp4", "line\nbreak\t.mp4", "[error] No space left on device.mp4",
		"видео 🎬.mp4", "not\xffutf8.mp4",
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
			info, err := ffmpeg.Probe(t.Context(), name)
			if err != nil || info.Format.Size != int64(len(b)) {
				t.Errorf("Probe: %+v, %v", info.Format, err)
			}
			out := name[:len(name)-1] + "v" // .mpv is no format, so -f says which
			res, err := ffmpeg.Run(t.Context(), args(ffmpeg.Input(name), "-c", "copy", "-f", "matroska"), ffmpeg.WithOutput(out))
			if err != nil || res.Frames != 100 {
				t.Errorf("Run: %+v, %v", res, err)
			}
			missing := name[:len(name)-4] + "-missing.mp4"
			_, err = ffmpeg.Check(t.Context(), missing)
			wantType(t, err, ffmpeg.TypeNotFound)
			for _, f := range []string{name, out} {
				if err := os.Remove(f); err != nil {
					t.Error(err)
				}
			}
			wantFiles(t, ".")
		})
	}
}
