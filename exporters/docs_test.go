package exporters

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The table in the package comment and docs/configuration.md name every
// option and every variable.
func TestSettingsAreDocumented(t *testing.T) {
	fset := token.NewFileSet()
	var files []*ast.File
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, "example.com/exporters")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join("..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}

	settings := []string{
		envDisabled, envLogLevel, envServiceName, envResource, envMetricsExporter, envTracesExporter, envPrometheusHost, envPrometheusPort,
		envInterval, envExportTimeout, envExemplars, envSampler, envSamplerArg, envTemporality, envHistograms,
		envQueueSize, envBatchSize, envSpanDelay, envSpanTimeout,
	}
	for _, suffix := range []string{otlpEndpoint, otlpProtocol, otlpInsecure, otlpHeaders, otlpCompression, otlpTimeout, otlpCA, otlpCert, otlpKey} {
		settings = append(settings, envOTLP+suffix)
	}
	options := 0
	for _, typ := range pkg.Types {
		for _, f := range typ.Funcs {
			if strings.HasPrefix(f.Name, "With") {
				options++
				settings = append(settings, f.Name)
			}
		}
	}
	if options < 10 {
		t.Fatalf("found %d options", options)
	}
	for _, s := range settings {
		if !strings.Contains(pkg.Doc, s) {
			t.Errorf("%s is missing in the package comment", s)
		}
		if !strings.Contains(string(guide), s) {
			t.Errorf("%s is missing in docs/configuration.md", s)
		}
	}
}
