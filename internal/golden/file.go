package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// file is a golden file.
type file struct {
	Name      string
	Provider  string
	Model     string
	Request   *request
	Response  *response
	Exchanges []struct {
		Request  request
		Response response
	}
	Usage    map[string]json.Number // what WithUsage says; most files have none
	Hint     string                 `json:"hint_model"` // and its Model
	Hosts    map[string]string      // what WithHost says, by host; most files have none
	Prices   map[string]json.RawMessage
	Expected expected
}

type request struct {
	Method, URL string
	Headers     map[string]string
	Body        string
	BodyBase64  string `json:"body_base64"`
}

type response struct {
	Status     int
	Headers    map[string]string
	Body       string
	BodyBase64 string `json:"body_base64"`
}

type expected struct {
	Nano   json.RawMessage `json:"nano_usd"`
	Source string
	Why    string
}

func (e expected) Result() (r Result) {
	if json.Unmarshal(e.Nano, &r.Nano) != nil {
		r.Unknown = true
	}
	return r
}

func (e expected) String() string { return e.Result().String() }

func read(name string) (*file, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f := new(file)
	if err := json.Unmarshal(text, f); err != nil {
		return nil, err
	}
	if f.Request != nil && f.Response != nil {
		f.Exchanges = append(f.Exchanges, struct {
			Request  request
			Response response
		}{*f.Request, *f.Response})
	}
	if len(f.Exchanges) == 0 {
		return nil, fmt.Errorf("no request and response")
	}
	if f.Name == "" {
		f.Name = name
	}
	return f, nil
}

// names are the providers whose names in golden files differ from OpenTelemetry's, or stand for
// several APIs, in small letters and without signs.
var names = map[string][]string{
	"azure": {"azure.ai.openai"}, "azureopenai": {"azure.ai.openai"}, "gemini": {"gcp.gemini"}, "googlegemini": {"gcp.gemini"},
	"vertex": {"gcp.vertex_ai"}, "vertexai": {"gcp.vertex_ai"},
	"google": {"gcp.gemini", "gcp.vertex_ai", "gcp.speech"}, "gcp": {"gcp.gemini", "gcp.vertex_ai", "gcp.speech"},
	"googlestt": {"gcp.speech"}, "googlespeech": {"gcp.speech"}, "googlecloudspeech": {"gcp.speech"}, "googlespeechtotext": {"gcp.speech"},
	"gcpspeech": {"gcp.speech"}, "gcpspeechtotext": {"gcp.speech"}, "gcpstt": {"gcp.speech"},
	"bedrock": {"aws.bedrock"}, "amazonbedrock": {"aws.bedrock"}, "aws": {"aws.bedrock", "aws.transcribe"}, "awsbedrock": {"aws.bedrock"},
	"awstranscribe": {"aws.transcribe"}, "amazontranscribe": {"aws.transcribe"}, "transcribe": {"aws.transcribe"},
	"xai": {"x_ai"}, "mistral": {"mistral_ai"}, "mistralai": {"mistral_ai"}, "moonshot": {"moonshot_ai"}, "assemblyai": {"assemblyai"}, "elevenlabs": {"elevenlabs"},
	"rev": {"rev_ai"}, "revai": {"rev_ai"}, "fal": {"fal"}, "falai": {"fal"}, "runwayml": {"runway"},
}

func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// table returns the file's prices.
func (f *file) table() (*price.Table, error) {
	if len(f.Prices) == 0 {
		return price.Parse([]byte(`{"rows":[]}`))
	}
	providers := names[plain(f.Provider)]
	if providers == nil {
		providers = []string{f.Provider}
	}
	var rows []any
	for _, provider := range providers {
		row := map[string]any{"provider": provider, "model": f.Model}
		if err := f.fill(row, provider); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	text, err := json.Marshal(map[string]any{"rows": rows})
	if err != nil {
		return nil, err
	}
	return price.Parse(text)
}

// units are names of units that differ from those of package price, by provider; "" is for all.
var units = map[string]map[string]string{
	"":          {"units": "credits", "billable_units": "credits", "seconds": "audio", "minutes": "audio", "video_seconds": "video", "compute_seconds": "compute", "gpu_seconds": "compute", "predict_time": "compute"},
	"runway":    {"seconds": "video", "audio": "video"},
	"replicate": {"seconds": "compute", "audio": "compute"},
	"ollama":    {"seconds": "compute", "audio": "compute"},
	"vllm":      {"seconds": "compute", "audio": "compute"},
}

// fill sets the prices of a row: what is not of price as they are, prices of time per seconds.
func (f *file) fill(row map[string]any, provider string) error {
	for field, text := range f.Prices {
		if !strings.Contains(field, "per_") {
			row[field] = text
			continue
		}
		var prices map[string]string
		if err := json.Unmarshal(text, &prices); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		for name, amount := range prices {
			if own := units[provider][name]; own != "" {
				name = own
			} else if own := units[""][name]; own != "" {
				name = own
			}
			to := field
			if (name == "audio" || name == "video" || name == "compute") && !strings.HasSuffix(field, "_seconds") {
				to += "_seconds"
			}
			if row[to] == nil {
				row[to] = make(map[string]string)
			}
			row[to].(map[string]string)[name] = amount
		}
	}
	return nil
}

// hint returns the file's usage for [aihttp.WithUsage]: quantities by unit, times in seconds.
func (f *file) hint() (*price.Usage, error) {
	if len(f.Usage) == 0 && f.Hint == "" {
		return nil, nil
	}
	u, known := &price.Usage{Model: f.Hint}, 0
	for unit := price.Unit(0); unit.Valid(); unit++ {
		n, ok := f.Usage[unit.String()]
		if !ok {
			continue
		}
		switch unit {
		case price.Audio, price.Video, price.Compute:
			length, err := time.ParseDuration(n.String() + "s")
			if err != nil {
				return nil, err
			}
			u.Add(unit, int64(length))
		default:
			count, err := n.Int64()
			if err != nil {
				return nil, err
			}
			u.Add(unit, count)
		}
		known++
	}
	if known < len(f.Usage) {
		return nil, fmt.Errorf("usage: a unit of %v is none", f.Usage)
	}
	return u, nil
}

func body(text, packed string) ([]byte, error) {
	if packed == "" {
		return []byte(text), nil
	}
	return base64.StdEncoding.DecodeString(packed)
}

func (q request) http() (*http.Request, error) {
	text, err := body(q.Body, q.BodyBase64)
	if err != nil {
		return nil, err
	}
	var r *http.Request
	if len(text) == 0 {
		r, err = http.NewRequest(q.Method, q.URL, nil)
	} else {
		r, err = http.NewRequest(q.Method, q.URL, bytes.NewReader(text))
	}
	if err != nil {
		return nil, err
	}
	for name, value := range q.Headers {
		if strings.EqualFold(name, "Host") {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	return r, nil
}
