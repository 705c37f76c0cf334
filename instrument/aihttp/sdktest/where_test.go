package sdktest

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/deepgram/deepgram-go-sdk/v3/pkg/client/interfaces"
	listen "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/listen/v1/rest"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	goopenai "github.com/sashabaranov/go-openai"
	"google.golang.org/genai"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
)

// rows are the calls that docs/costs.md has in its table, by the library of the row.
var rows = map[string]func(t *testing.T){
	"net/http": func(t *testing.T) {
		client := &http.Client{Transport: aihttp.NewTransport(nil)}
		if client.Transport == nil {
			t.Error("no transport")
		}
	},
	"openai-go": func(t *testing.T) {
		client := &http.Client{Transport: aihttp.NewTransport(nil)}
		if c := openai.NewClient(option.WithMiddleware(aihttp.NewTransport(nil).Middleware)); len(c.Options) == 0 {
			t.Error("no options")
		}
		if c := openai.NewClient(option.WithHTTPClient(client)); len(c.Options) == 0 {
			t.Error("no options")
		}
	},
	"anthropic-sdk-go": func(t *testing.T) {
		client := &http.Client{Transport: aihttp.NewTransport(nil)}
		if c := anthropic.NewClient(anthropicoption.WithMiddleware(aihttp.NewTransport(nil).Middleware)); len(c.Options) == 0 {
			t.Error("no options")
		}
		if c := anthropic.NewClient(anthropicoption.WithHTTPClient(client)); len(c.Options) == 0 {
			t.Error("no options")
		}
	},
	"google.golang.org/genai": func(t *testing.T) {
		client := &http.Client{Transport: aihttp.NewTransport(nil)}
		config := genai.ClientConfig{HTTPClient: client}
		config.APIKey = "key"
		if _, err := genai.NewClient(t.Context(), &config); err != nil {
			t.Error(err)
		}
	},
	"go-openai": func(t *testing.T) {
		client := &http.Client{Transport: aihttp.NewTransport(nil)}
		config := goopenai.DefaultConfig("key")
		config.HTTPClient = client
		if goopenai.NewClientWithConfig(config) == nil {
			t.Error("no client")
		}
	},
	"deepgram-go-sdk": func(t *testing.T) {
		client := listen.New("key", &interfaces.ClientOptions{})
		client.Transport = aihttp.NewTransport(client.Transport)
		if client.HTTPClient.Client.Transport != client.Transport {
			t.Error("the client that sends has another transport")
		}
	},
}

// Each row of the table of docs/costs.md that says where the client goes compiles as it stands there.
func TestWhereTheClientGoes(t *testing.T) {
	text, err := os.ReadFile("../../../docs/costs.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("where_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "| library | where the client goes | a whole program |\n|---|---|---|\n")
	if !ok {
		t.Fatal("docs/costs.md has no table of libraries")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	seen := make(map[string]bool)
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		library, _, _ := strings.Cut(strings.TrimSpace(cells[1]), ",")
		test := rows[library]
		if test == nil {
			t.Errorf("no test of the row of %s", library)
			continue
		}
		seen[library] = true
		t.Run(library, test)
		for _, snippet := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1) {
			if !strings.Contains(string(source), snippet[1]) {
				t.Errorf("%s is not compiled here", snippet[1])
			}
		}
	}
	if len(seen) != len(rows) {
		t.Errorf("rows of %v, want %d", seen, len(rows))
	}
}
