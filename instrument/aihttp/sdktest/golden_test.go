package sdktest

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// golden is a request, its answer, prices of their own, and what the call costs. The program of
// internal/golden has the format.
type golden struct {
	Name, Provider, Model string
	Request               struct {
		URL     string
		Headers map[string]string
		Body    string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
		Packed  string `json:"body_base64"`
	}
	Usage    struct{ Audio float64 } // of WithUsage, in seconds
	Hosts    map[string]string
	Prices   map[string]json.RawMessage
	Expected struct {
		Nano json.RawMessage `json:"nano_usd"`
	}
}

// goldens returns the files whose provider has a library in Go.
func goldens(t *testing.T) (all []golden) {
	t.Helper()
	for _, pattern := range []string{
		"testdata/*.json", "../../../internal/golden/testdata/*.json", "../testdata/goldens/*.json",
	} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var g golden
			if err := json.Unmarshal(text, &g); err == nil && g.hasLibrary() { // others have bodies that are no text
				all = append(all, g)
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("%d golden files", len(all))
	}
	return all
}

// libraryCalls are ends of paths of which a library has a call.
var libraryCalls = regexp.MustCompile(`/v1/messages$|/(chat/completions|responses|embeddings|images/generations|audio/(speech|transcriptions|translations))(\?.*)?$|:(generateContent|streamGenerateContent\?alt=sse)$|deepgram\.com/v1/(listen|speak)\?`)

// hasLibrary reports whether a file is one successful call that a library makes as it stands there.
func (g golden) hasLibrary() bool {
	if g.Response.Status != 200 || !libraryCalls.MatchString(g.Request.URL) {
		return false
	}
	if !strings.HasPrefix(g.Provider, "gcp.") {
		return g.Provider == "anthropic" || !strings.HasSuffix(g.Request.URL, "/v1/messages")
	}
	var fields map[string]json.RawMessage
	err := json.Unmarshal([]byte(g.Request.Body), &fields)
	return err == nil && len(fields) == 1 && fields["contents"] != nil // genai has ways of its own to say the rest
}

// providers are names that the files have shorter than OpenTelemetry.
var providers = map[string]string{"azure": "azure.ai.openai", "mistral": "mistral_ai", "xai": "x_ai", "moonshot": "moonshot_ai"}

func (g golden) table(t *testing.T) *price.Table {
	t.Helper()
	var rows []any
	if len(g.Prices) > 0 {
		provider := g.Provider
		if full := providers[provider]; full != "" {
			provider = full
		}
		row := map[string]any{"provider": provider, "model": g.Model}
		for field, prices := range g.Prices {
			row[field] = prices
		}
		rows = append(rows, row)
	}
	text, err := json.Marshal(map[string]any{"rows": rows})
	if err != nil {
		t.Fatal(err)
	}
	table, err := price.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// hint returns what WithUsage says, or nil.
func (g golden) hint() *price.Usage {
	if g.Usage.Audio == 0 {
		return nil
	}
	u := new(price.Usage)
	u.Add(price.Audio, int64(g.Usage.Audio*float64(time.Second)))
	return u
}

// expected returns the cost in nano-dollars, and whether it is known.
func (g golden) expected() (nano int64, known bool) {
	known = json.Unmarshal(g.Expected.Nano, &nano) == nil
	return nano, known
}

func (g golden) streams() bool {
	return strings.HasPrefix(g.Response.Headers["Content-Type"], "text/event-stream")
}

func (g golden) url(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(g.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// form returns the fields of a request that is one.
func (g golden) form(t *testing.T) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(g.Request.Headers["Content-Type"])
	if err != nil {
		t.Fatal(err)
	}
	fields := make(map[string]string)
	for r := multipart.NewReader(strings.NewReader(g.Request.Body), params["boundary"]); ; {
		part, err := r.NextPart()
		if err == io.EOF {
			return fields
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		fields[part.FormName()] = string(text)
	}
}
