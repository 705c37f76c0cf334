package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// config is the command line.
type config struct {
	inputs      []string
	jobs        int
	concurrency int
	budget      instrument.USD
	lease       time.Duration
	out         string // absolute
	listen      string // "": the environment decides
	hold        time.Duration
	metricsDump string
	json        string
	report      string
	db          string
	redis       string
	speechURL   string
	chatURL     string
}

// state returns the folder in -out for everything but reels.
func (c config) state() string { return filepath.Join(c.out, ".smartvideoeditor") }

// parse reads the command line. An error names the flag and the value.
func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("smartvideoeditor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "Usage: smartvideoeditor [flags] [video ...]\n\n",
			"Makes a highlight reel of each video. Without a video it makes one with speech. Flags come first.\n\n")
		flags.PrintDefaults()
	}
	flags.IntVar(&c.jobs, "jobs", 1, "queue the videos `N` times")
	flags.IntVar(&c.concurrency, "concurrency", 2, "work on `N` jobs at once")
	flags.TextVar(&c.budget, "budget", 2*instrument.Dollar, "the most that the paid calls of a job may cost in `USD`: 0.50, or unlimited")
	flags.DurationVar(&c.lease, "lease", 15*time.Minute, "count a transcription as spent a `duration` after it began, if the program died in it")
	flags.StringVar(&c.out, "out", "smartvideoeditor-out", "the `folder` of the reels; one program at a time works in it")
	flags.StringVar(&c.listen, "listen", "", "serve the live page and metrics at `address` (default: OTEL_EXPORTER_PROMETHEUS_HOST and _PORT, or :9099)")
	flags.DurationVar(&c.hold, "hold", 0, "serve the live page and metrics for a `duration` after the last job")
	flags.StringVar(&c.metricsDump, "metrics-dump", "", "write the last metrics to a `file`")
	flags.StringVar(&c.json, "json", "", "write the results of the jobs to a `file`")
	flags.StringVar(&c.report, "report", "", "write a page about the jobs of this run to a `file`, such as run.html, to open, print or attach")
	flags.StringVar(&c.db, "db", "", "keep checkpoints and costs in a SQLite `file`, or at postgres://… (default: a file in -out)")
	flags.StringVar(&c.redis, "redis", "", "cache analyses in Redis at a `URL`, redis://…")
	flags.StringVar(&c.speechURL, "speech-url", "", "transcribe at a `URL` with OpenAI's API, such as https://api.openai.com/v1,\n"+
		"with the key in OPENAI_API_KEY (default: a service of the program's own)")
	flags.StringVar(&c.chatURL, "chat-url", "", "ask for titles and a summary at a `URL` with OpenAI's API, with the same key\n"+
		"(default: the service of the program's own; with -speech-url, none)")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	c.inputs = flags.Args()
	switch {
	case c.jobs < 1:
		return config{}, fmt.Errorf("-jobs %d: must be at least 1", c.jobs)
	case c.concurrency < 1:
		return config{}, fmt.Errorf("-concurrency %d: must be at least 1", c.concurrency)
	case c.lease <= 0:
		return config{}, fmt.Errorf("-lease %v: must be above 0", c.lease)
	case c.hold < 0:
		return config{}, fmt.Errorf("-hold %v: must not be negative", c.hold)
	case c.out == "":
		return config{}, fmt.Errorf(`-out "": must be a folder`)
	}
	for _, input := range c.inputs {
		if _, err := os.Lstat(input); err != nil && strings.HasPrefix(input, "-") {
			return config{}, fmt.Errorf("%s is not a file, and flags come before the videos", input)
		}
	}
	for name, path := range map[string]string{"-json": c.json, "-report": c.report, "-metrics-dump": c.metricsDump} {
		if path == "" {
			continue
		}
		if stat, err := os.Stat(filepath.Dir(path)); err != nil || !stat.IsDir() {
			return config{}, fmt.Errorf("%s %s: %s is no folder", name, path, filepath.Dir(path))
		}
	}
	if scheme, _, ok := strings.Cut(c.db, "://"); ok && scheme != "postgres" && scheme != "postgresql" {
		return config{}, fmt.Errorf("-db %s://…: must be a file for SQLite, or postgres://…", scheme)
	}
	var err error
	if c.out, err = filepath.Abs(c.out); err != nil {
		return config{}, fmt.Errorf("-out %s: %w", c.out, err)
	}
	if c.db == "" {
		c.db = filepath.Join(c.state(), "checkpoints.db")
	}
	return c, nil
}
