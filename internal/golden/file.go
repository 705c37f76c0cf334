package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
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
	Headers     headers
	Body        content
	BodyBase64  string `json:"body_base64"`
}

type response struct {
	Status     int
	Headers    headers
	Body       content
	BodyBase64 string `json:"body_base64"`
}

// content is a body. One that a file has as JSON, in place of text, is that JSON.
type content string

func (c *content) UnmarshalJSON(text []byte) error {
	switch {
	case string(text) == "null":
		return nil
	case text[0] == '"':
		return json.Unmarshal(text, (*string)(c))
	}
	*c = content(text)
	return nil
}

// headers are those of a message. A file may have several values of one name in an array.
type headers http.Header

func (h *headers) UnmarshalJSON(text []byte) error {
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	*h = make(headers, len(all))
	for name, value := range all {
		values, ok := value.([]any)
		if !ok {
			values = []any{value}
		}
		for _, v := range values {
			http.Header(*h).Add(name, fmt.Sprint(v))
		}
	}
	return nil
}

type expected struct {
	Nano   json.RawMessage `json:"nano_usd"`
	Source string
	Why    string
}

// Result returns what the file expects: a number, or "unknown".
func (e expected) Result() (Result, error) {
	r := Result{Source: e.Source}
	text := strings.Trim(string(e.Nano), `"`)
	if text == "unknown" {
		r.Unknown = true
		return r, nil
	}
	var err error
	r.Nano, err = strconv.ParseInt(text, 10, 64)
	return r, err
}

func read(name string) (*file, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f := new(file)
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), f); err != nil {
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
	if _, err := f.Expected.Result(); err != nil {
		return nil, fmt.Errorf("expected.nano_usd: %w", err)
	}
	if f.Name == "" {
		f.Name = name
	}
	return f, nil
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

func body(text content, packed string) ([]byte, error) {
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
	if q.Method == "" && len(text) > 0 {
		q.Method = http.MethodPost
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
	for name, values := range q.Headers {
		if name == "Host" {
			r.Host = values[0]
		}
		r.Header[name] = slices.Clone(values)
	}
	return r, nil
}
