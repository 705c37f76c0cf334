package scrape

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// Whatever a client accepts, it gets the answer and the headers of promhttp.
func TestFormatIsNegotiatedAsUpstream(t *testing.T) {
	p := start(t, setup{})
	exportertest.ManySeries(exportertest.InSpan(1), t, p.provider, 20)
	for _, accept := range []string{
		"", "*/*", "*/*;q=0", "text/*", "text/plain", "text/html", "application/*", "application/json", "nonsense", ",", ";q=1",
		"text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8", "text/plain;version=1.0.0", "text/plain;version=2",
		"text/plain;version=1.0.0;escaping=allow-utf-8", "text/plain;version=0.0.4;escaping=values", "TEXT/PLAIN",
		"application/openmetrics-text", "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;version=1.0.0",
		"application/openmetrics-text; version=1.0.0; charset=utf-8", "application/openmetrics-text;version=2.0.0",
		"application/openmetrics-text;version=1.0.0;escaping=underscores", "application/openmetrics-text;version=1.0.0;escaping=dots",
		"application/openmetrics-text;version=1.0.0;escaping=nonsense", "application/openmetrics-text;charset=latin1",
		"text/plain;q=0.1,application/openmetrics-text;version=1.0.0;q=0.9", "text/plain;q=0.9,application/openmetrics-text;q=0.1",
		"application/openmetrics-text;version=1.0.0;q=0,text/plain", "application/openmetrics-text;q=x, text/plain;q=0.5",
		acceptProtobuf, acceptProtobuf + ";escaping=values", "application/vnd.google.protobuf", "application/vnd.google.protobuf;proto=other",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
		// A browser.
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
		// Prometheus 2.0, 2.30, 2.49, 3, and 3 with native histograms.
		"text/plain;version=0.0.4;q=1,*/*;q=0.1",
		"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
			"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		acceptProtobuf + ";q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		// The collector's receiver, VictoriaMetrics, Telegraf.
		"application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		"text/plain;version=0.0.4;q=1,*/*;q=0.1",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
	} {
		want, got := serve(p.handler.plain, "Accept", accept), serve(p.handler, "Accept", accept)
		if got.Code != want.Code {
			t.Errorf("%q: %d, want %d", accept, got.Code, want.Code)
		}
		for _, header := range []string{"Content-Type", "Content-Encoding"} {
			if got, want := got.Header().Get(header), want.Header().Get(header); got != want {
				t.Errorf("%q: %s %q, want %q", accept, header, got, want)
			}
		}
		if got, want := fmt.Sprint(got.Header()["Vary"]), fmt.Sprint(want.Header()["Vary"]); got != want {
			t.Errorf("%q: Vary %s, want %s", accept, got, want)
		}
		if header := got.Header(); !isOpenMetrics(header) && !strings.HasPrefix(header.Get("Content-Type"), "text/plain") ||
			strings.Contains(header.Get("Content-Type"), "escaping=dots") {
			continue // upstream answers these, whatever the handler
		}
		open := isOpenMetrics(got.Header())
		for _, diff := range compare(mustRead(t, want.Body.String(), open), mustRead(t, got.Body.String(), open), nil) {
			t.Errorf("%q: %s", accept, diff)
		}
	}
}

func isOpenMetrics(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "application/openmetrics-text")
}

// A compressed answer has the same bytes.
func TestCompression(t *testing.T) {
	p := start(t, setup{})
	exportertest.ManySeries(t.Context(), t, p.provider, 400) // three chunks, in no span: in protobuf the labels of exemplars are in any order
	for _, tt := range []struct{ accept, want string }{
		{"", ""}, {"identity", ""}, {"br", ""}, {"*", ""}, {"gzip", "gzip"}, {"zstd", "zstd"}, {"GZip", "gzip"}, {"x-gzip", ""},
		{"gzip, zstd", "zstd"}, {"zstd,gzip", "zstd"}, {"gzip,deflate,br,zstd", "zstd"}, {"gzip;q=0.9, zstd;q=0.5", "gzip"},
		{"gzip;q=0.5,zstd;q=0.5", "zstd"}, {"gzip;q=0", ""}, {"zstd;q=0,gzip", "gzip"}, {"gzip; q=0.001", "gzip"},
		{"identity;q=0, gzip", "gzip"}, {"identity;q=0.5, gzip;q=0.1", ""}, {"identity;q=0", ""}, {"gzip;q=nonsense", ""}, {",;,", ""},
	} {
		for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
			plain := serve(p.handler, "Accept", accept).Body.Bytes()
			for range 2 { // the second time by the same writers
				rec := serve(p.handler, "Accept", accept, "Accept-Encoding", tt.accept)
				encoding := rec.Header().Get("Content-Encoding")
				if accept != acceptProtobuf && encoding != tt.want {
					t.Errorf("%q: %q, want %q", tt.accept, encoding, tt.want)
				}
				if got := decompressed(t, encoding, rec.Body); !bytes.Equal(got, plain) {
					t.Errorf("%q, %q: %d bytes, not the same when decompressed:\n%.2000s", accept, tt.accept, len(got), got)
				}
			}
		}
	}
}

// decompressed reads all of a body. It fails if something follows the end.
func decompressed(t *testing.T, encoding string, body io.Reader) []byte {
	t.Helper()
	var err error
	switch encoding {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1)); err == nil {
			defer d.Close()
			body = d
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: %v", encoding, err)
	}
	return all
}
