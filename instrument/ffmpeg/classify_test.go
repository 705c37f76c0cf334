//go:build unix

package ffmpeg_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// Each of these makes the ffmpeg that is installed fail, and reads what it says.
func TestErrorTypes(t *testing.T) {
	in, none := ffmpeg.Input(clip()), []string{"-f", "null", "-"}
	const closed = "http://user:secret@127.0.0.1:1/x.mp4?token=secret"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code, err := strconv.Atoi(r.URL.Path[1:]); err == nil {
			w.WriteHeader(code)
			return
		}
		b, _ := os.ReadFile(clip())
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		_, _ = w.Write(b[:len(b)/2]) // and then the connection breaks
	}))
	t.Cleanup(server.Close)

	tests := map[string]struct {
		args []string
		opt  ffmpeg.Option
		want string
	}{
		"text":                       {args: args("-i", write(t, "a.txt", "no video"), none), want: ffmpeg.TypeInvalidData},
		"text that is called a film": {args: args("-i", write(t, "a.mp4", "no video, at all"), none), want: ffmpeg.TypeInvalidData},
		"zeros":                      {args: args("-i", write(t, "a.mkv", strings.Repeat("\x00", 5000)), none), want: ffmpeg.TypeInvalidData},
		"empty file":                 {args: args("-i", write(t, "a.mp4", ""), none), want: ffmpeg.TypeInvalidData},
		"folder":                     {args: args("-i", t.TempDir(), none), want: ffmpeg.TypeInvalidData},
		"a file without its index":   {args: args("-i", cut(t, made("tail.mp4", "-i", clip(), "-c", "copy")(), 0.5), none), want: ffmpeg.TypeTruncated},
		"a file without its end":     {args: args("-xerror", "-i", cut(t, clip(), 0.5), "-c", "copy", none), want: ffmpeg.TypeTruncated},

		"missing input":         {args: args("-i", "/no/such/file.mp4", none), want: ffmpeg.TypeNotFound},
		"missing output folder": {args: args(in, "-c", "copy", "/no/such/folder/o.mp4"), want: ffmpeg.TypeNotFound},
		"unreadable input":      {args: args("-i", unreadable(t), none), opt: asNobody(t), want: ffmpeg.TypePermission},
		"existing output":       {args: args("-n", in, "-c", "copy", clip()), want: ffmpeg.TypeExists},
		"full disk":             {args: args("-y", in, "-f", "mpegts", "/dev/full"), want: ffmpeg.TypeNoSpace},
		"full disk, at the end": {args: args("-y", in, "-c", "copy", "-f", "mpegts", "/dev/full"), want: ffmpeg.TypeNoSpace}, // exits with 0
		"full disk, header":     {args: args("-y", in, "-c", "copy", "-f", "mp4", "/dev/full"), want: ffmpeg.TypeNoSpace},

		"no such stream to map":     {args: args(in, "-map", "0:v:4", none), want: ffmpeg.TypeMissingStream},
		"no such stream to filter":  {args: args(in, "-filter_complex", "[0:v:3]null", none), want: ffmpeg.TypeMissingStream},
		"no sound to filter":        {args: args("-f", "lavfi", "-i", "testsrc2=d=1", "-filter_complex", "anull", none), want: ffmpeg.TypeMissingStream},
		"no stream left":            {args: args(in, "-vn", "-an", none), want: ffmpeg.TypeMissingStream},
		"unknown encoder":           {args: args(in, "-c:v", "no-such", none), want: ffmpeg.TypeUnknownEncoder},
		"unknown decoder":           {args: args("-c:v", "no-such", in, none), want: ffmpeg.TypeUnknownDecoder},
		"unknown filter":            {args: args(in, "-vf", "no-such", none), want: ffmpeg.TypeUnknownFilter},
		"unknown complex filter":    {args: args(in, "-filter_complex", "no-such", none), want: ffmpeg.TypeUnknownFilter},
		"unknown input format":      {args: args("-f", "no-such", in, none), want: ffmpeg.TypeUnknownFormat},
		"unknown output format":     {args: args(in, "-f", "no-such", "-"), want: ffmpeg.TypeUnknownFormat},
		"unknown extension":         {args: args(in, filepath.Join(t.TempDir(), "o.no-such")), want: ffmpeg.TypeUnknownFormat},
		"nothing to do":             {want: ffmpeg.TypeBadArgs},
		"no output":                 {args: in, want: ffmpeg.TypeBadArgs},
		"unknown option":            {args: args("-no-such", "1", in, none), want: ffmpeg.TypeBadArgs},
		"misplaced option":          {args: args(in, "-re", none), want: ffmpeg.TypeBadArgs},
		"missing value":             {args: args(in, "-t"), want: ffmpeg.TypeBadArgs},
		"bad duration":              {args: args(in, "-t", "abc", none), want: ffmpeg.TypeBadArgs},
		"bad filter option":         {args: args(in, "-vf", "scale=no-such=1", none), want: ffmpeg.TypeBadArgs},
		"bad filter expression":     {args: args(in, "-vf", "scale=-5:abc", none), want: ffmpeg.TypeBadArgs},
		"bad encoder option":        {args: args(in, "-c:v", "libx264", "-crf", "abc", none), want: ffmpeg.TypeBadArgs},
		"bad picture size":          {args: args(in, "-c:v", "libx264", "-s", "3x3", "-pix_fmt", "yuv420p", none), want: ffmpeg.TypeBadArgs},
		"codec not for container":   {args: args(in, "-c:v", "ffv1", "-f", "webm", os.DevNull, "-y"), want: ffmpeg.TypeBadArgs},
		"-y and -n":                 {args: args("-y", "-n", in, clip()), want: ffmpeg.TypeBadArgs},
		"nothing written":           {args: args("-abort_on", "empty_output", "-ss", "100", in, none), want: ffmpeg.TypeEmptyOutput},
		"connection refused":        {args: args("-i", closed, none), want: ffmpeg.TypeNetwork},
		"unknown host":              {args: args("-i", "http://no-such-host.invalid/x.mp4", none), want: ffmpeg.TypeNetwork},
		"HTTP 401":                  {args: args("-i", server.URL+"/401", none), want: ffmpeg.TypePermission},
		"HTTP 403":                  {args: args("-i", server.URL+"/403", none), want: ffmpeg.TypePermission},
		"HTTP 403, a signed URL":    {args: args("-i", server.URL+"/403?token="+strings.Repeat("x", 1400), none), want: ffmpeg.TypePermission},
		"HTTP 404, a signed URL":    {args: args("-i", server.URL+"/404?token="+strings.Repeat("x", 1400), none), want: ffmpeg.TypeNotFound},
		"HTTP 429, a signed URL":    {args: args("-i", server.URL+"/429?token="+strings.Repeat("x", 1400), none), want: ffmpeg.TypeNetwork},
		"a shell's end":             {opt: script(t, "exit 143"), want: ffmpeg.TypeKilled},
		"no route, of ffmpeg 7":     {opt: script(t, "echo '[error] a: No route to host' >&2; exit 143"), want: ffmpeg.TypeNetwork},
		"HTTP 404":                  {args: args("-i", server.URL+"/404", none), want: ffmpeg.TypeNotFound},
		"HTTP 410":                  {args: args("-i", server.URL+"/410", none), want: ffmpeg.TypeNetwork},
		"HTTP 503":                  {args: args("-i", server.URL+"/503", none), want: ffmpeg.TypeNetwork},
		"HTTP that breaks off":      {args: args("-xerror", "-i", server.URL+"/clip.mp4", "-c", "copy", none), want: ffmpeg.TypeTruncated},
		"TLS with one who has none": {args: args("-i", "https"+server.URL[4:], none), want: ffmpeg.TypeNetwork},
		"unknown protocol":          {args: args("-i", "no-such://x", none), want: ffmpeg.TypeProtocolBlocked},
		"protocol not allowed":      {args: args("-protocol_whitelist", "file", "-i", closed, none), want: ffmpeg.TypeProtocolBlocked},
		"list of files":             {args: args("-f", "concat", "-i", write(t, "a.txt", "file /etc/passwd\n"), none), want: ffmpeg.TypeProtocolBlocked},
		"list of files as a film":   {args: args(ffmpeg.Input(write(t, "a.mp4", "ffconcat version 1.0\nfile clip.mp4\n")), none), want: ffmpeg.TypeFormatBlocked},
		"reader gone": {
			args: args(in, "-c", "copy", "-f", "mpegts", "pipe:1"), want: ffmpeg.TypeBrokenPipe,
			opt: script(t, `set -o pipefail; ffmpeg "$@" | true`),
		},
		"a script's own failure": {opt: script(t, "echo oops >&2; exit 3"), want: ffmpeg.TypeExit},
		"a script's own message": {opt: script(t, "echo a.mp4: No such file or directory >&2; exit 3"), want: ffmpeg.TypeNotFound},
		"a shell's killed ffmpeg": {
			opt:  script(t, "bash -c 'kill -9 $$' & wait $!; exit $?"),
			want: ffmpeg.TypeKilled,
		},
		"an end without its report": {opt: script(t, `printf 'frame=1\nprogress=continue\n' >&3`), want: ffmpeg.TypeExit},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ffmpeg.Run(t.Context(), tt.args, tt.opt)
			e := wantType(t, err, tt.want)
			if strings.Contains(e.Error()+e.Stderr, "secret") || strings.Contains(e.Error()+e.Stderr, "@ 0x") {
				t.Errorf("unfit to be shown: %v\n%s", e, e.Stderr)
			}
			if e.ExitCode < 0 && e.Signal == nil {
				t.Errorf("neither exit code nor signal: %v", e)
			}
		})
	}
}

// unreadable is a file that nobody else may read.
func unreadable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(media, "")
	if err != nil {
		t.Fatal(err)
	}
	for d := dir; len(d) >= len(media); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "private.mp4")
	if err := os.WriteFile(path, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	return path
}

// asNobody runs ffmpeg without the rights of root.
func asNobody(t *testing.T) ffmpeg.Option {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	return script(t, fmt.Sprintf(`exec setpriv --reuid %d --clear-groups ffmpeg "$@"`, 65534))
}
