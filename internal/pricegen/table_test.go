package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The table that comes with package price, and the overrides that it is made with.
const (
	realTable     = "../../" + tableFile
	realOverrides = "overrides.json"
)

func readReal(t *testing.T) (table, overrides) {
	t.Helper()
	all, err := readTable(realTable)
	if err != nil {
		t.Fatal(err)
	}
	over, err := readOverrides(realOverrides)
	if err != nil {
		t.Fatal(err)
	}
	return all, over
}

// Each row tells who says so and when somebody looked, and nothing costs 0 unless it is free.
func TestTableHasReasons(t *testing.T) {
	all, _ := readReal(t)
	if _, err := time.Parse(time.DateOnly, all.Checked); err != nil || all.Seed == "" || !strings.Contains(all.Notice, "MIT") {
		t.Errorf("checked %q, seed %q, notice %q", all.Checked, all.Seed, all.Notice)
	}
	for _, r := range all.Rows {
		about := fmt.Sprintf("%s of %s", r.Model, r.Provider)
		if _, err := time.Parse(time.DateOnly, r.Seen); r.Source == "" || err != nil {
			t.Errorf("%s: source %q, seen %q", about, r.Source, r.Seen)
		}
		for _, prices := range []map[string]map[string]string{r.Per, r.OverPer} {
			for per := range maps.Values(prices) {
				for unit, text := range per {
					if !(number(text) > 0) {
						t.Errorf("%s: %s costs %q", about, unit, text)
					}
				}
			}
		}
		if r.Free && len(r.Per) > 0 || !r.Free && len(r.Per) == 0 {
			t.Errorf("%s: free is %v, prices are %v", about, r.Free, r.Per)
		}
	}
}

// The file is what is written: one row a line, sorted, with nothing twice.
func TestTableIsWritten(t *testing.T) {
	all, _ := readReal(t)
	file, err := os.ReadFile(realTable)
	if err != nil {
		t.Fatal(err)
	}
	sortRows(all.Rows)
	if text, err := all.text(); err != nil || !bytes.Equal(text, file) {
		t.Errorf("%s is not as pricegen writes it (%v): run go run ./internal/pricegen -keep", tableFile, err)
	}
}

// What people wrote by hand is in the table: each row as it is, and the rules have nothing left to
// do.
func TestTableHasOverrides(t *testing.T) {
	all, over := readReal(t)
	before, err := all.text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range over.Rows {
		i := slices.IndexFunc(all.Rows, func(r row) bool {
			return r.Provider == want.Provider && r.Model == want.Model && r.Tier == want.Tier && r.Region == want.Region && r.Variant == want.Variant && r.From == want.From
		})
		if i < 0 {
			t.Errorf("%s of %s is not in the table: run go run ./internal/pricegen -keep", want.Model, want.Provider)
			continue
		}
		got := all.Rows[i]
		for per, prices := range want.Per {
			for unit, text := range prices {
				if got.Per[per][unit] != text {
					t.Errorf("%s of %s: %s costs %q, and by hand %q", want.Model, want.Provider, unit, got.Per[per][unit], text)
				}
			}
		}
		if got.Free != want.Free || !strings.Contains(got.Source, want.Source) {
			t.Errorf("%s of %s: free %v, source %s", want.Model, want.Provider, got.Free, got.Source)
		}
	}
	for _, d := range over.Drop {
		if slices.ContainsFunc(all.Rows, func(r row) bool {
			return r.Provider == d.Provider && (r.Model == d.Model || slices.Contains(r.Aliases, d.Model))
		}) {
			t.Errorf("%s of %s is in the table, and by hand it is dropped", d.Model, d.Provider)
		}
	}
	for _, r := range over.Rules {
		if all.Rows, _, err = r.apply(all.Rows); err != nil {
			t.Fatal(err)
		}
	}
	sortRows(all.Rows)
	if after, _ := all.text(); !bytes.Equal(after, before) {
		t.Errorf("the rules of %s are not all in the table: run go run ./internal/pricegen -keep", overridesFile)
	}
}

// The license of genai-prices asks for its notice beside what was taken.
func TestNotice(t *testing.T) {
	text, err := os.ReadFile("../../instrument/price/NOTICE.txt")
	if err != nil || !bytes.Contains(text, []byte("Permission is hereby granted, free of charge")) || !bytes.Contains(text, []byte("Copyright (c) Pydantic Services Inc.")) {
		t.Errorf("%v: %s", err, text)
	}
}
