package livepage

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
)

var started = time.Now()

// serviceOf returns the names of the program: service.name and service.version of its telemetry, else
// OTEL_SERVICE_NAME, else the name of the executable; and its host and process id.
func serviceOf(tel *exporters.Telemetry) service {
	const unknown = "unknown_service:" // of OpenTelemetry, before the name of the executable
	attrs := tel.Resource().Set()
	name, _ := attrs.Value("service.name")
	version, _ := attrs.Value("service.version")
	s := service{
		Name:     cmp.Or(strings.TrimPrefix(name.AsString(), unknown), os.Getenv("OTEL_SERVICE_NAME"), filepath.Base(os.Args[0])),
		Instance: strconv.Itoa(os.Getpid()),
		Version:  version.AsString(),
		Started:  ms(started),
	}
	if host, err := os.Hostname(); err == nil {
		s.Instance = host + ":" + s.Instance
	}
	return s
}
