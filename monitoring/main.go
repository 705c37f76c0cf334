// Command monitoring writes what a Prometheus and a Grafana need to watch stagemeter's metrics.
//
// From the root of the repository it keeps the generated files below docs:
//
//	go run ./monitoring          # write what is stale
//	go run ./monitoring -check   # write nothing, fail if something is stale
//
// Anywhere else it makes the rules with numbers of your own; docs/alerts/README.md tells which there are:
//
//	go run github.com/stagemeter/stagemeter/monitoring@latest -settings my.yml -out rules
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/monitoring/internal/alerts"
	"github.com/stagemeter/stagemeter/monitoring/internal/dashboards"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "monitoring:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("monitoring", flag.ContinueOnError)
	root := flags.String("root", ".", "root `folder` of the repository")
	check := flags.Bool("check", false, "write nothing and fail if a generated file is stale")
	settings := flags.String("settings", "", "`file` with numbers of your own; needs -out")
	dir := flags.String("out", "", "`folder` to write the rules to, instead of the repository's files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *settings != "" && *dir == "":
		return errors.New("-settings needs -out: the repository's files have the default numbers")
	case *dir != "":
		files, err := userFiles(*settings)
		if err != nil {
			return err
		}
		return update(*dir, files, *check, out)
	}
	if _, err := os.Stat(filepath.Join(*root, "monitoring")); err != nil {
		return fmt.Errorf("%s is not the root of the repository; elsewhere use -out", *root)
	}
	files, err := repositoryFiles()
	if err != nil {
		return err
	}
	return update(*root, files, *check, out)
}

// repositoryFiles returns the generated files of the repository by their path from its root.
func repositoryFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	rules, err := alerts.Generate(alerts.Default())
	if err != nil {
		return nil, err
	}
	for name, data := range rules {
		files["docs/alerts/"+name] = data
	}
	pages, err := dashboards.Generate()
	if err != nil {
		return nil, err
	}
	for name, data := range pages {
		files["docs/dashboards/"+name] = data
	}
	if files["docs/kubernetes/prometheusrule.yaml"], err = alerts.PrometheusRule(alerts.Default()); err != nil {
		return nil, err
	}
	return files, nil
}

// userFiles returns the rules with the numbers of a settings file, or the default ones if it has no name.
func userFiles(settings string) (map[string][]byte, error) {
	own := alerts.Default()
	if settings != "" {
		f, err := os.Open(settings)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		if own, err = alerts.Load(f); err != nil {
			return nil, fmt.Errorf("%s:\n%w", settings, err)
		}
	}
	files, err := alerts.Generate(own)
	if err != nil {
		return nil, err
	}
	files["prometheusrule.yaml"], err = alerts.PrometheusRule(own)
	return files, err
}

// begin returns the first bytes of a file.
func begin(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, int64(most)))
}

// update writes the files below dir that are not as they should be, or if check is set fails because of them.
func update(dir string, files map[string][]byte, check bool, out io.Writer) error {
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		have, err := begin(filepath.Join(dir, name), len(files[name])+1)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || !bytes.Equal(have, files[name]) {
			stale = append(stale, name)
		}
	}
	if check && len(stale) > 0 {
		return fmt.Errorf("stale, run go run ./monitoring: %s", strings.Join(stale, ", "))
	}
	for _, name := range stale {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
		fmt.Fprintln(out, "wrote", name)
	}
	return nil
}
