// Command bench times stagemeter against what else one could measure a pipeline with: OpenTelemetry written by hand,
// client_golang, VictoriaMetrics/metrics, and the upstream exporters. `make bench` runs it; docs/performance.md says
// how to read what it prints.
//
// It is a program as a user would write it, on stagemeter's public API alone, and a module of its own, so that the
// rivals are in nobody's go.mod. Before anything is timed, what the rivals export is read and compared: a ratio of two
// programs that measure different things would tell nothing. A difference ends the program; a goal that is missed does
// not.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/bench/internal/event"
	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/memory"
	"github.com/stagemeter/stagemeter/bench/internal/push"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/bench/internal/scrape"
	"github.com/stagemeter/stagemeter/bench/internal/startup"
	"github.com/stagemeter/stagemeter/bench/internal/transport"
	"github.com/stagemeter/stagemeter/bench/internal/viewers"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
)

// A section is one part of the program. It checks and measures.
type section struct {
	name    string
	measure func(s rounds.Settings, quick bool) (figures.Section, error)
}

var sections = []section{
	{"stage", event.Stage},
	{"call", event.Call},
	{"job", event.Job},
	{"mounted", func(s rounds.Settings, _ bool) (figures.Section, error) { return event.Mounted(s, mount) }},
	{"viewers", func(_ rounds.Settings, quick bool) (figures.Section, error) { return viewers.Measure(mount, quick) }},
	{"scrape", scrape.Measure},
	{"writers", event.Writers},
	{"push", push.Measure},
	{"memory", memory.Measure},
	{"jobs", memory.Jobs},
	{"startup", startup.Measure},
	{"transport", transport.Measure},
}

// mount mounts the live page as a program does.
func mount(tel *exporters.Telemetry, p *instrument.Pipeline) error { return livepage.Mount(tel, p) }

// options are the flags.
type options struct {
	quick   bool
	run     string
	rivals  string
	rounds  int
	docs    bool
	out     string
	profile string
}

func main() {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "under two minutes: fewer rounds, shorter turns, fewer cases")
	flag.StringVar(&o.run, "run", "", "comma list of sections: "+strings.Join(names(), ", ")+" (default all)")
	flag.StringVar(&o.rivals, "rivals", "", "comma list of words: only rivals with one of them in their name take part,\n"+
		"and goals that need others are left out")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds of each measurement (default 25, with -quick 9)")
	flag.BoolVar(&o.docs, "docs", false, "write the tables into "+document+" and the chart to "+picture+";\n"+
		"for the root of the repository")
	flag.StringVar(&o.out, "o", ".cache/bench", "folder for performance.md and performance.svg")
	flag.StringVar(&o.profile, "profile", "", "folder for a CPU and a memory profile of each section;\n"+
		"the label rival tells whose it is: go tool pprof -tagfocus=stagemeter")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "bench: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := bench(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(o options) error {
	chosen, err := choose(o.run)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	for _, v := range os.Environ() { // the defaults are measured, whatever this host has set
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "OTEL_") {
			_ = os.Unsetenv(name) // of a name that exists
		}
	}
	start := time.Now()
	fmt.Println(about(o.quick))
	var done []figures.Section
	for _, s := range chosen {
		began := time.Now()
		made, err := profiled(o.profile, s.name, func() (figures.Section, error) { return s.measure(o.settings(), o.quick) })
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		figures.WriteText(os.Stdout, made)
		fmt.Printf("\n  (%s took %s)\n", s.name, time.Since(began).Round(time.Second))
		done = append(done, made)
	}
	summarize(done, time.Since(start))
	return write(o, done)
}

// check tells before anything is measured what could not be written in the end.
func (o options) check() error {
	if o.docs && (o.quick || o.run != "" || o.rivals != "") {
		return fmt.Errorf("-docs is for a whole run: not with -quick, -run or -rivals, which would leave the rest of %s out", document)
	}
	if o.docs {
		if _, err := os.Stat(document); err != nil {
			return fmt.Errorf("-docs: %w: run it in the root of the repository", err)
		}
	}
	if o.rounds < 0 {
		return fmt.Errorf("-rounds %d: want at least 1, or 0 for the default", o.rounds)
	}
	return os.MkdirAll(o.out, 0o755)
}

// settings are how long to measure.
func (o options) settings() rounds.Settings {
	s := rounds.Settings{Rounds: 25, Turn: 15 * time.Millisecond}
	if o.quick {
		s = rounds.Settings{Rounds: 9, Turn: 5 * time.Millisecond}
	}
	if o.rounds > 0 {
		s.Rounds = o.rounds
	}
	if o.rivals != "" {
		words := strings.Split(o.rivals, ",")
		s.Keep = func(name string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return w != "" && strings.Contains(name, w) })
		}
	}
	return s
}

func names() []string {
	all := make([]string, len(sections))
	for i, s := range sections {
		all[i] = s.name
	}
	return all
}

// choose finds the sections of a comma list, in their own order.
func choose(list string) ([]section, error) {
	if list == "" {
		return sections, nil
	}
	want := strings.Split(list, ",")
	for i, name := range want {
		name = strings.TrimSpace(name)
		want[i] = name
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("-run: there is no section %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(sections), func(s section) bool { return !slices.Contains(want, s.name) }), nil
}

// summarize prints how many goals were met, and which were not.
func summarize(done []figures.Section, took time.Duration) {
	met, all := 0, 0
	var missed []string
	for _, k := range figures.Kinds(done...) {
		met, all = met+k.Met, all+k.All
		if k.Met < k.All {
			missed = append(missed, k.Line())
		}
	}
	fmt.Printf("\n== %d of %d goals met, in %s\n", met, all, took.Round(time.Second))
	for _, line := range missed {
		fmt.Println("  missed  " + line)
	}
}
