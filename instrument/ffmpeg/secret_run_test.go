//go:build unix

package ffmpeg_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// Whatever ffmpeg repeats of its arguments and of what a server answers, no error, span or metric has a secret of it.
func TestNoSecretIsShown(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=s3cret-cookie")
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "http://127.0.0.1:1/a.mp4?X-Amz-Signature=s3cret-signature", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	none := []string{"-f", "null", "-"}
	debug := []string{"-loglevel", "level+trace"}
	tests := map[string][]string{
		"a password":                  args("-i", "http://user:s3cret@"+host+"/a", none),
		"a password, in detail":       args(debug, "-i", "http://user:s3cret@"+host+"/a", none),
		"a password of odd letters":   args(debug, "-i", "http://user:s3cret '/x@"+host+"/a", none),
		"a token for a user":          args(debug, "-i", "ftp://s3cret-token@127.0.0.1:1/a", none),
		"a signed address":            args(debug, "-i", server.URL+"/a?sv=1&sig=s3cret%2Fsignature&se=2", none),
		"a signed address, redirect":  args(debug, "-i", server.URL+"/moved", none),
		"headers":                     args(debug, "-headers", "Authorization: Bearer s3cret-bearer\r\nX-Own: s3cret-own\r\n", "-i", server.URL+"/a", none),
		"cookies":                     args(debug, "-cookies", "id=s3cret-id; path=/; domain=127.0.0.1;", "-i", server.URL+"/a", none),
		"a key that is malformed":     args(debug, "-decryption_key", "s3cret-key", "-i", clip(), none),
		"a proxy":                     args(debug, "-http_proxy", "http://u:s3cret-proxy@127.0.0.1:1", "-i", server.URL+"/a", none),
		"a misspelled option":         args("-haeders", "x", "-i", "http://user:s3cret@"+host+"/a", none),
		"an address in a list":        args(debug, "-i", "concat:http://a:s3cret1@"+host+"/a|http://b:s3cret2@"+host+"/b", none),
		"an output that is signed":    args("-i", clip(), "-c", "copy", "-f", "mpegts", "http://127.0.0.1:1/a?sig=s3cret-sig"),
		"an output with a stream key": args("-i", clip(), "-c", "copy", "-f", "flv", "rtmp://127.0.0.1:1/live/s3cret-key"),
		"a filter's file":             args("-i", clip(), "-vf", "movie=http\\\\://u\\\\:s3cret-pw@127.0.0.1\\\\:1/a[x];[in][x]overlay", none),
	}
	for name, arguments := range tests {
		t.Run(name, func(t *testing.T) {
			reader, spans := metric.NewManualReader(), tracetest.NewSpanRecorder()
			p, err := instrument.New(
				instrument.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))),
				instrument.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close(t.Context()) }()
			err = p.RunJob(t.Context(), "job", func(ctx context.Context) error {
				_, err := ffmpeg.Run(ctx, arguments)
				return err
			})
			var failed *ffmpeg.Error
			if !errors.As(err, &failed) {
				t.Fatalf("%v", err)
			}
			var data metricdata.ResourceMetrics
			if err := reader.Collect(t.Context(), &data); err != nil {
				t.Fatal(err)
			}
			var shown bytes.Buffer
			_, _ = fmt.Fprintln(&shown, err, failed.Stderr, data)
			for _, s := range spans.Ended() {
				_, _ = fmt.Fprintln(&shown, s.Name(), s.Attributes(), s.Status())
				for _, e := range s.Events() {
					_, _ = fmt.Fprintln(&shown, e.Name, e.Attributes)
				}
			}
			for line := range strings.Lines(shown.String()) {
				if strings.Contains(line, "s3cret") {
					t.Errorf("it shows %q", line)
				}
			}
		})
	}
	t.Run("probe", func(t *testing.T) {
		_, err := ffmpeg.Probe(t.Context(), "http://user:s3cret@"+host+"/a?sig=s3cret", ffmpeg.WithProtocols("http", "tcp"))
		if e := wantType(t, err, ffmpeg.TypePermission); strings.Contains(e.Error()+e.Stderr, "s3cret") {
			t.Errorf("%v\n%s", e, e.Stderr)
		}
	})
	t.Run("an output that is no address", func(t *testing.T) {
		_, err := ffmpeg.Run(t.Context(), nil, ffmpeg.WithOutput("https://user:s3cret@"+host+"/a?sig=s3cret"))
		if e := wantType(t, err, ffmpeg.TypeNotFound); strings.Contains(e.Error(), "s3cret") {
			t.Error(e)
		}
	})
}

// Whatever the failure, its text has ffmpeg's own last words.
func TestErrorsHaveTheLastWords(t *testing.T) {
	const words = `echo '[error] the disk is upside down' >&2; `
	out := t.TempDir() + "/out.mp4"
	tests := map[string]struct {
		script string
		want   string
		opts   []ffmpeg.Option
	}{
		"an exit that no rule knows": {script: words + "exit 9", want: ffmpeg.TypeExit},
		"fatal, and errors after it": {script: "echo '[fatal] the disk is upside down' >&2; echo '[error] so what' >&2; exit 9", want: ffmpeg.TypeExit},
		"a message of a script":      {script: "echo 'the disk is upside down' >&2; exit 9", want: ffmpeg.TypeExit},
		"a signal":                   {script: words + "kill -9 $$", want: ffmpeg.TypeKilled},
		"a crash":                    {script: words + "kill -SEGV $$", want: ffmpeg.TypeCrashed},
		"an end without its report":  {script: words + `printf 'frame=1\nprogress=continue\n' >&3`, want: ffmpeg.TypeExit},
		"nothing written":            {script: words + `exit 0`, want: ffmpeg.TypeEmptyOutput, opts: []ffmpeg.Option{ffmpeg.WithOutput(out)}},
		"a writer that fails": {
			script: words + "echo x", want: ffmpeg.TypeBrokenPipe,
			opts: []ffmpeg.Option{ffmpeg.WithStdout(writerFunc(func([]byte) (int, error) { return 0, errors.New("no") }))},
		},
		"a stall": {script: words + "exec sleep 600", want: ffmpeg.TypeStalled, opts: []ffmpeg.Option{ffmpeg.WithStallTimeout(1e9)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ffmpeg.Run(t.Context(), nil, append(tt.opts, script(t, tt.script))...)
			if e := wantType(t, err, tt.want); !strings.Contains(e.Error(), "the disk is upside down") {
				t.Error(e)
			}
		})
	}
	probes := map[string]string{
		"an exit":   words + "exit 9",
		"no answer": words + "exec sleep 600",
		"no JSON":   words + "echo hello",
		"too long":  words + "yes '{'",
	}
	for name, body := range probes {
		t.Run("probe: "+name, func(t *testing.T) {
			_, err := ffmpeg.Probe(t.Context(), clip(), script(t, body), ffmpeg.WithStallTimeout(1e9))
			if err == nil || !strings.Contains(err.Error(), "the disk is upside down") {
				t.Error(err)
			}
		})
	}
}
