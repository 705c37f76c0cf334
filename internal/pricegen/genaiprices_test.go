//go:build genaiprices

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// call is one line of a bill: what was asked and answered, and what genai-prices needs to price it.
type call struct {
	Name, URL, Model string
	Request          json.RawMessage
	Form             map[string]string
	Answer           json.RawMessage
	Provider, Flavor string
	Usage            json.RawMessage // what genai-prices cannot read from the answer

	Prices map[string]float64 // of a golden, which has its own
	Want   string             // of a golden: what internal/golden finds
}

// The calculation of genai-prices, by its own package and of the version that the table is made
// with, beside ours. Where they differ and why is in docs/costs.md, with the same names. It needs
// npm and node, and takes goldens of the folder that GOLDENS names:
//
//	GOLDENS=DIR go test -tags genaiprices -run GenAIPrices -v ./internal/pricegen
func TestGenAIPrices(t *testing.T) {
	page, err := os.ReadFile("../../docs/costs.md")
	if err != nil {
		t.Fatal(err)
	}
	calls := readCalls(t)
	theirs := askGenAIPrices(t, calls)
	alike := 0
	for i, c := range calls {
		got := c.Want
		if got == "" {
			got = priceOf(t, c)
		}
		their := "unknown"
		if theirs[i] != nil {
			their = fmt.Sprint(int64(math.Round(*theirs[i] * 1e9)))
		}
		if got == their {
			alike++
			continue
		}
		row := fmt.Sprintf("| %s | %s | %s |", c.Name, thousands(got), thousands(their))
		t.Log(row)
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/costs.md does not have %s", row)
		}
	}
	summary := fmt.Sprintf("Of %d calls, %d agree to the nano-dollar.", len(calls), alike)
	if t.Log(summary); !strings.Contains(strings.ReplaceAll(string(page), "\n", " "), summary) {
		t.Errorf("docs/costs.md does not say %q", summary)
	}
}

// readCalls reads the goldens and the bill.
func readCalls(t *testing.T) (calls []call) {
	t.Helper()
	text, err := os.ReadFile("testdata/bill.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &calls); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 50 {
		t.Fatalf("a bill of %d calls", len(calls))
	}
	files, err := filepath.Glob(filepath.Join(os.Getenv("GOLDENS"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("GOLDENS has no goldens: %v", err)
	}
	for _, file := range files {
		calls = append(calls, readGolden(t, file))
	}
	return calls
}

// streamed is what the streams among the goldens, and the answers that genai-prices does not read,
// say of usage.
var streamed = map[string]string{
	"02-openai-transcribe-tokens":    `{"input_tokens": 79, "input_audio_tokens": 75, "output_tokens": 28}`,
	"03-openai-whisper-verbose":      `{"audio_seconds": 61}`,
	"05-anthropic-stream-cumulative": `{"input_tokens": 1025, "cache_read_tokens": 1000, "output_tokens": 42}`,
	"07-gemini-sse-last-wins":        `{"input_tokens": 300, "output_tokens": 50}`,
	"10-openai-tts-characters":       `{"input_tokens": 15}`,
}

// seedKeys are the names that genai-prices has for the units of goldens.
var seedKeys = map[string]string{
	"input": "input_mtok", "output": "output_mtok", "cache_read": "cache_read_mtok", "cache_write_5m": "cache_write_mtok", "cache_write_1h": "cache_write_1h_mtok",
	"input_audio": "input_audio_mtok", "cache_read_audio": "cache_audio_read_mtok", "web_search": "web_searches_kcount", "audio": "audio_hours",
}

func readGolden(t *testing.T, file string) call {
	t.Helper()
	var g struct {
		Name, Provider, Model string
		Response              struct{ Body string }
		Prices                map[string]map[string]string
		Expected              struct {
			Nano any `json:"nano_usd"`
		}
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := call{Name: g.Name, Model: g.Model, Provider: g.Provider, Flavor: "default", Prices: make(map[string]float64), Want: "unknown"}
	switch g.Provider {
	case "openai", "openrouter":
		c.Flavor = "chat"
	case "gcp.gemini":
		c.Provider = "google"
	}
	if nano, ok := g.Expected.Nano.(float64); ok {
		c.Want = fmt.Sprint(int64(nano))
	}
	if usage := streamed[g.Name]; usage != "" {
		c.Usage = json.RawMessage(usage)
	} else if json.Valid([]byte(g.Response.Body)) {
		c.Answer = json.RawMessage(g.Response.Body)
	}
	for per, prices := range g.Prices {
		for unit, text := range prices {
			if key := seedKeys[unit]; per == "per_60_seconds" {
				c.Prices[key] = 60 * number(text)
			} else if key != "" {
				c.Prices[key] = number(text)
			}
		}
	}
	return c
}

func askGenAIPrices(t *testing.T, calls []call) (prices []*float64) {
	t.Helper()
	all, err := readTable(realTable)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := command(dir, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".", npmPackage+"@"+all.Seed); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("compare.cjs")
	if err != nil {
		t.Fatal(err)
	}
	var in []map[string]any
	for _, c := range calls {
		line := map[string]any{"provider": c.Provider, "flavor": c.Flavor, "model": c.Model, "answer": c.Answer, "usage": c.Usage}
		if c.Prices != nil {
			line["prices"] = c.Prices
		}
		in = append(in, line)
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "-e", string(script), filepath.Join(dir, "node_modules", filepath.FromSlash(npmPackage)))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &prices); err != nil || len(prices) != len(calls) {
		t.Fatalf("%v: %s", err, out)
	}
	return prices
}

// priceOf returns what a call costs by a transport, in nano-dollars.
func priceOf(t *testing.T, c call) string {
	t.Helper()
	answer := func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		kind := "application/json"
		if c.Answer == nil {
			kind = "audio/mpeg"
		}
		return &http.Response{
			StatusCode: 200, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(bytes.NewReader(c.Answer)), ContentLength: -1, Request: r,
		}, nil
	}
	p, rec := instrumenttest.New(t)
	client := http.Client{Transport: aihttp.NewTransport(roundTripper(answer), aihttp.WithPrices(price.Default()))}
	ctx, job := p.StartJob(t.Context(), "job")
	defer job.End(nil)
	body, kind := c.body(t)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if rec.Counter("video_processing_api_unpriced_total") > 0 {
		return "unknown"
	}
	return fmt.Sprint(int64(job.Cost()))
}

func (c call) body(t *testing.T) (io.Reader, string) {
	t.Helper()
	if c.Form == nil {
		return bytes.NewReader(c.Request), "application/json"
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	file, err := w.CreateFormFile("file", "take.wav")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(file, "RIFF")
	for name, value := range c.Form {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	return &b, w.FormDataContentType()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// thousands writes 1234567 as 1,234,567.
func thousands(s string) string {
	if s == "unknown" {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
