package scrape

import (
	"net/http"
	"testing"
)

func TestAcceptedEncoding(t *testing.T) {
	for accept, want := range map[string]string{
		"":                               "identity",
		"gzip":                           "gzip",
		"GZIP":                           "gzip",
		"zstd":                           "zstd",
		"gzip, zstd":                     "zstd",
		"zstd;q=0.5, gzip":               "gzip",
		"gzip;q=0.5,zstd; q=0.4":         "gzip",
		"gzip;q=0":                       "identity",
		"gzip;q=0.5, identity":           "identity",
		"gzip, identity":                 "gzip",
		"identity;q=0":                   "identity",
		"br, deflate":                    "identity",
		"br;q=1.0, gzip;q=0.8, *;q=0.1":  "gzip",
		"*":                              "identity",
		"gzip;q=many, zstd;q=":           "identity",
		"gzip;q=0.5;x=1, zstd;q=0.4":     "gzip",
		"gzip;level=9":                   "gzip",
		" , ;q=1,gzip":                   "gzip",
		"gzip;q=0.1, gzip;q=1, zstd;q=0": "gzip",
	} {
		if got := acceptedEncoding(http.Header{"Accept-Encoding": {accept}}, encodings); got != want {
			t.Errorf("%q: %s, want %s", accept, got, want)
		}
	}
	if got := acceptedEncoding(http.Header{"Accept-Encoding": {"gzip;q=0.1", "zstd"}}, encodings); got != "zstd" {
		t.Errorf("two headers: %s", got)
	}
}
