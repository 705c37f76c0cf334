package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

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

// names are the providers whose names in golden files differ from OpenTelemetry's.
var names = map[string]string{
	"azure": "azure.ai.openai", "azure_openai": "azure.ai.openai", "gemini": "gcp.gemini", "google": "gcp.gemini", "vertex": "gcp.vertex_ai",
	"bedrock": "aws.bedrock", "xai": "x_ai", "mistral": "mistral_ai",
}

// table returns the file's prices.
func (f *file) table() (*price.Table, error) {
	if len(f.Prices) == 0 {
		return price.Parse([]byte(`{"rows":[]}`))
	}
	provider := f.Provider
	if name := names[provider]; name != "" {
		provider = name
	}
	row := map[string]any{"provider": provider, "model": f.Model}
	for key, value := range f.Prices {
		row[key] = value
	}
	text, err := json.Marshal(map[string]any{"rows": []any{row}})
	if err != nil {
		return nil, err
	}
	return price.Parse(text)
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
