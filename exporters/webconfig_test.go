package exporters

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// Whoever wanted a web config file and named none gets no open port, whatever else says to open
// one.
func TestEmptyWebConfigFileOpensNoPort(t *testing.T) {
	file := exportertest.WriteFile(t, t.TempDir(), "web.yml", "")
	for _, tt := range []struct {
		reason string
		opts   []Option
		open   bool
		want   string
	}{
		{"the default address", []Option{WithWebConfigFile("")}, false, "no port is opened"},
		{"an address", []Option{WithPrometheusAddr("127.0.0.1:0"), WithWebConfigFile("")}, false, "no port is opened"},
		{"an address, in the other order", []Option{WithWebConfigFile(""), WithPrometheusAddr("127.0.0.1:0")}, false, "no port is opened"},
		{"after a good one", []Option{WithPrometheusAddr("127.0.0.1:0"), WithWebConfigFile(file), WithWebConfigFile("")}, false, "no port is opened"},
		{"before a good one", []Option{WithPrometheusAddr("127.0.0.1:0"), WithWebConfigFile(""), WithWebConfigFile(file)}, true, `WithWebConfigFile("")`},
		{"a blank", []Option{WithPrometheusAddr("127.0.0.1:0"), WithWebConfigFile(" ")}, false, "metrics are not served"},
	} {
		tel, err := Start(t.Context(), append(tt.opts, WithoutGlobals())...)
		if err == nil || strings.Count(err.Error(), "exporters:") != 1 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
		}
		if (tel.Addr() != nil) != tt.open {
			t.Errorf("%s: serves on %v", tt.reason, tel.Addr())
		}
		rec := httptest.NewRecorder()
		if tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil)); rec.Code != http.StatusOK {
			t.Errorf("%s: Handler answers %d", tt.reason, rec.Code)
		}
		shutdown(tel)
	}
}
