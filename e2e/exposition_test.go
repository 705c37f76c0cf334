package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const textFormat = "text/plain; version=0.0.4"

// scrape is what url answers to a client that accepts the given media type.
func scrape(t *testing.T, url, accept string) (contentType string, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s\n%s", url, resp.Status, body)
	}
	return resp.Header.Get("Content-Type"), body
}

// exposed is what the program itself shows at url at this moment.
func exposed(t *testing.T, url string) snapshot {
	t.Helper()
	_, body := scrape(t, url, textFormat)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	page := snapshot{}
	for name, family := range families {
		if !strings.HasPrefix(name, "video_processing_") {
			continue
		}
		samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.Now()}, family)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, found := range samples {
			found.Metric["__type__"] = model.LabelValue(typeName(family.GetType()))
			page.add(t, found)
		}
	}
	return page
}

// typeName is the type as the text format and PromQL spell it.
func typeName(typ dto.MetricType) string { return strings.ToLower(typ.String()) }
