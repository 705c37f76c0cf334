package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
)

func TestFlags(t *testing.T) {
	c, err := parse([]string{"-budget", "0.25", "-jobs", "3", "a.mp4", "b.mp4"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.budget != 25*instrument.Cent || c.jobs != 3 || len(c.inputs) != 2 || c.listen != "" {
		t.Errorf("got %+v", c)
	}
	for _, args := range [][]string{
		{"-jobs", "0"}, {"-jobs", "x"}, {"-concurrency", "-1"}, {"-hold", "-1s"}, {"-budget", "-1"}, {"-budget", "much"},
		{"-out", ""}, {"-nonsense"}, {"-db", "mysql://u:secret@h/x"}, {"-json", "no/such/folder.json"},
		{"-metrics-dump", "no/such/folder"}, {"-report", "no/such/folder.html"},
	} {
		_, err := parse(args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), args[0]) {
			t.Errorf("%q gives %v, want an error that names the flag", args, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the password: %v", args, err)
		}
	}
	if _, err := parse([]string{"a.mp4", "-json", "x"}, io.Discard); err == nil || !strings.Contains(err.Error(), "-json") {
		t.Errorf("a flag after a video gives %v, want an error that names it", err)
	}
}

// Wrong flags are reported before anything is done, with an exit status of their own.
func TestUsageError(t *testing.T) {
	if r := edit(t, "-out", t.TempDir(), "-concurrency", "0"); r.exit != 2 || !strings.Contains(r.output, "-concurrency 0") {
		t.Errorf("exit status %d", r.exit)
	}
	if r := edit(t, "-h"); r.exit != 0 || !strings.Contains(r.output, "-speech-url") {
		t.Errorf("exit status %d of -h", r.exit)
	}
}
