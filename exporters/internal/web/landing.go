package web

import (
	"fmt"
	"html"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
)

// Paths of the server.
const (
	metricsPath = "/metrics"
	healthPath  = "/healthz"
)

// landing returns the handler of the page at /, with the service, the build and links.
func landing(service string) http.Handler {
	// The template does not escape.
	page, err := web.NewLandingPage(web.LandingConfig{
		Name:        html.EscapeString(service),
		Description: "Metrics of a media pipeline, by stagemeter",
		Version:     html.EscapeString(versionLine()),
		Profiling:   "false",
		Links: []web.LandingLinks{
			{Address: metricsPath, Text: "Metrics", Description: "for Prometheus"},
			{Address: healthPath, Text: "Health", Description: "answers while the process is alive"},
		},
	})
	if err != nil {
		return http.NotFoundHandler()
	}
	return page
}

// versionLine returns the version, the revision and the Go version of the build.
func versionLine() string {
	parts := []string{"unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" {
			parts[0] = v
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if rev := settings["vcs.revision"]; rev != "" {
			rev = rev[:min(12, len(rev))]
			if settings["vcs.modified"] == "true" {
				rev += " with changes"
			}
			parts = append(parts, "revision "+rev)
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)), ", ")
}
