package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goldens are the files that are played: those of this package, and those of package aihttp.
func goldens(t *testing.T) (all []*file) {
	t.Helper()
	for _, pattern := range []string{"testdata/*.json", "../../instrument/aihttp/testdata/goldens/*.json"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			f, err := read(name)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			all = append(all, f)
		}
	}
	if len(all) < 10 {
		t.Fatalf("%d golden files", len(all))
	}
	return all
}

func (f *file) isStream() bool {
	h := http.Header(f.Exchanges[0].Response.Headers)
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream") && h.Get("Content-Encoding") == ""
}

// In whatever pieces an answer comes, compressed or not, it costs the same.
func TestGoldens(t *testing.T) {
	crlf := func(b []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	lf := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }
	for _, f := range goldens(t) {
		ways := map[string]playOptions{
			"whole": {}, "1": {chunk: 1}, "7": {chunk: 7}, "512": {chunk: 512}, "4096": {chunk: 4096}, "gzip": {gzip: true}, "gzip in pieces": {gzip: true, chunk: 3},
		}
		if f.isStream() {
			ways["CRLF"], ways["LF"] = playOptions{change: crlf}, playOptions{change: lf, chunk: 5}
			ways["the last event twice"] = playOptions{change: func(b []byte) []byte {
				all := bytes.SplitAfter(bytes.TrimSpace(lf(b)), []byte("\n\n"))
				return slices.Concat(bytes.Join(all, nil), []byte("\n\n"), all[len(all)-1], []byte("\n\n"))
			}}
		}
		for name, o := range ways {
			got, err := f.play(o)
			if want, _ := f.Expected.Result(); err != nil || !got.same(want) {
				t.Errorf("%s, %s: %v, %v; want %v", f.Name, name, got, err, want)
			}
		}
	}
}

// A stream that breaks off at any event costs no more than the whole, and what is sure of it.
func TestGoldensCutOff(t *testing.T) {
	for _, f := range goldens(t) {
		whole, _ := f.Expected.Result()
		if !f.isStream() || whole.Unknown {
			continue
		}
		all := bytes.SplitAfter(bytes.ReplaceAll([]byte(f.Exchanges[0].Response.Body), []byte("\r\n"), []byte("\n")), []byte("\n\n"))
		for n := range len(all) {
			known := false
			head := bytes.Join(all[:n], nil)
			for _, word := range []string{`"input_tokens"`, `"promptTokenCount"`, `"prompt_tokens"`} {
				known = known || bytes.Contains(head, []byte(word))
			}
			for name, o := range map[string]playOptions{
				"closed early": {change: func([]byte) []byte { return head }, read: func(r io.ReadCloser, _ func()) {
					_, _ = io.ReadFull(r, make([]byte, len(head)))
					_ = r.Close()
				}},
				"never closed": {change: func([]byte) []byte { return head }, read: func(r io.ReadCloser, cancel func()) {
					_, _ = io.ReadFull(r, make([]byte, len(head)))
					cancel()
				}},
			} {
				got, err := f.play(o)
				if err != nil || got.Nano > whole.Nano || known && got.Nano == 0 || !known && !got.Unknown {
					t.Errorf("%s after %d events, %s: %+v, %v, of %v", f.Name, n, name, got, err, whole.Nano)
				}
			}
		}
	}
}

// run reads files that it has never seen, and says which differ.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/01-openai-chat-cached.json")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good.json", string(text))
	wrong := write("wrong.json", strings.Replace(string(text), "4720000", "4720001", 1))
	for _, tt := range []struct {
		files []string
		code  int
	}{{[]string{good}, 0}, {[]string{good, wrong}, 1}, {[]string{write("none.json", "{")}, 1}, {[]string{filepath.Join(dir, "gone")}, 1}, {nil, 2}} {
		if code := run(tt.files); code != tt.code {
			t.Errorf("%q: exit status %d, want %d", tt.files, code, tt.code)
		}
	}
}
