// Pricegen writes the price table that comes with package price. It takes the prices of the npm
// package genai-prices, lays those of overrides.json over them, and prints what has changed since
// the last time. It needs npm and node; the result needs neither.
//
//	go run ./internal/pricegen             # take the newest version
//	go run ./internal/pricegen -keep       # take the version of the last time, with new overrides
//	go run ./internal/pricegen -check FILE # compare with a price file of litellm
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/stagemeter/stagemeter/instrument/price"
)

//go:embed dump.cjs
var dumper string

const (
	tableFile     = "instrument/price/prices.json"
	overridesFile = "internal/pricegen/overrides.json"
	npmPackage    = "@pydantic/genai-prices"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "pricegen:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer, now time.Time) error {
	flags := flag.NewFlagSet("pricegen", flag.ContinueOnError)
	check := flags.String("check", "", "compare the table with this `file` of litellm")
	keep := flags.Bool("keep", false, "keep the version of genai-prices")
	if err := flags.Parse(args); err != nil {
		return err
	}
	old, err := readTable(tableFile)
	if err != nil {
		return err
	}
	if *check != "" {
		text, err := os.ReadFile(*check)
		if err != nil {
			return err
		}
		return compare(out, old, text)
	}
	version := "latest"
	if *keep && old.Seed != "" {
		version = old.Seed
	}
	seed, err := fetch(version)
	if err != nil {
		return err
	}
	over, err := readOverrides(overridesFile)
	if err != nil {
		return err
	}
	table, notes, err := build(seed, over, now)
	if err != nil {
		return err
	}
	if *keep && old.Checked != "" {
		table.Checked = old.Checked // nobody has looked whether there are newer prices
	}
	text, err := table.text()
	if err != nil {
		return err
	}
	if _, err := price.Parse(text); err != nil {
		return fmt.Errorf("the new table is not right: %w", err)
	}
	for _, note := range notes {
		fmt.Fprintln(out, note)
	}
	diff(out, old, table)
	return os.WriteFile(tableFile, text, 0o644)
}

// fetch returns a version of genai-prices.
func fetch(version string) (s seed, err error) {
	dir, err := os.MkdirTemp("", "pricegen")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	if _, err := command(dir, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".", npmPackage+"@"+version); err != nil {
		return s, err
	}
	home := filepath.Join(dir, "node_modules", filepath.FromSlash(npmPackage))
	text, err := os.ReadFile(filepath.Join(home, "package.json"))
	if err != nil {
		return s, err
	}
	var about struct{ Version string }
	if err := json.Unmarshal(text, &about); err != nil {
		return s, err
	}
	s.version = about.Version
	if text, err = command(dir, "npm", "view", npmPackage, "time", "--json"); err != nil {
		return s, err
	}
	var published map[string]time.Time
	if err := json.Unmarshal(text, &published); err != nil {
		return s, fmt.Errorf("when genai-prices was published: %w", err)
	}
	s.day = published[s.version].UTC().Format(time.DateOnly)
	if text, err = command(dir, "node", "-e", dumper, home); err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s.providers); err != nil {
		return s, fmt.Errorf("what genai-prices has: %w", err)
	}
	if len(s.providers) == 0 {
		return s, errors.New("genai-prices has no providers: has its shape changed?")
	}
	return s, nil
}

func command(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, stderr.Bytes())
	}
	return out, nil
}
