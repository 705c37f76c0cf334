package aihttp_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// What a file costs is bounded by its size, however its client sends it: without a type, as
// deepgram-go-sdk does, and as a file, whose length no header tells.
func TestFileIsBoundedByItsSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), "talk.mp3")
	if err := os.WriteFile(name, make([]byte, 60_000), 0o600); err != nil { // a minute of 8 kbit/s, and no more than 61 s
		t.Fatal(err)
	}
	file := func() io.Reader {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	text := func(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }
	prices, err := price.Parse([]byte(`{"rows": [{"provider": "deepgram", "model": "nova-3", "per_60_seconds": {"audio": "0.60"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		kind    string
		body    func() io.Reader
		unknown bool
	}{
		{"a file", "", file, false},
		{"a file with a type", "audio/mpeg", file, false},
		{"bytes without a type", "", text(strings.Repeat("\xff\xfb", 30_000)), false},
		{"a URL without a type", "", text(` {"url": "https://example.com/a.mp3"}`), true},
		{"a stream that nobody knows", "audio/mpeg", func() io.Reader { return io.MultiReader(strings.NewReader("x")) }, true},
	} {
		p, _ := instrumenttest.New(t)
		f := newFake(t, says(200, "application/json", `{"metadata":{"duration":1}}`), aihttp.WithPrices(prices))
		for _, limit := range []money.USD{60 * money.Cent, 61*money.Cent + 1} { // one cent a second
			ctx, job := p.StartJob(t.Context(), tt.name, instrument.WithBudget(limit))
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.deepgram.com/v1/listen?model=nova-3", tt.body())
			if err != nil {
				t.Fatal(err)
			}
			if tt.kind != "" {
				r.Header.Set("Content-Type", tt.kind)
			}
			resp, err := f.client.Do(r)
			if err == nil {
				_ = resp.Body.Close()
			}
			refused := limit == 60*money.Cent || tt.unknown
			if (err != nil) != refused {
				t.Errorf("%s, %v: %v", tt.name, limit, err)
			}
			job.End(nil)
		}
	}
}
