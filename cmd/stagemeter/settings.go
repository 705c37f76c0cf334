package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/board"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
)

const passwordVariable = "STAGEMETER_PASSWORD"

const topUsage = `Usage: stagemeter top [flags] [URL...]

Shows the running jobs of the workers whose live pages are at the URLs: their stage, progress, time to go
and cost. host:9099, or host alone, is short for http://host:9099.

In a terminal it is a screen with keys (? lists them). Without a terminal, or with -plain, it prints a table
after each interval.

Flags:
`

const topExamples = `
Examples:
  stagemeter top
  stagemeter top worker-1:9099 worker-2:9099 https://ops.example.com/editor/
  stagemeter top -once -json | jq -r '.jobs[] | select(.stalled) | .id'

It exits with 0, with 1 if no worker answered -once, and with 2 if the flags or URLs are wrong.
`

// settings are the flags and URLs of `stagemeter top`.
type settings struct {
	urls          []*url.URL
	once, json    bool
	plain         bool
	filter, order string
	interval      time.Duration
	access        feed.Access
}

const (
	shortest = 200 * time.Millisecond
	longest  = time.Hour
)

// parse reads the arguments. Flags may stand between URLs. If they ask for help, it writes that to
// out and returns flag.ErrHelp.
func parse(args []string, getenv func(string) string, out io.Writer) (s settings, err error) {
	var passwordFile string
	f := flag.NewFlagSet("top", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.BoolVar(&s.once, "once", false, "print once and exit")
	f.BoolVar(&s.json, "json", false, "print JSON: one document with -once, otherwise one a line after each interval")
	f.BoolVar(&s.plain, "plain", false, "print tables in a terminal too")
	f.StringVar(&s.filter, "filter", "", "show only jobs whose id, stage or worker contains `TEXT`")
	f.StringVar(&s.order, "sort", board.ByNeed, "sort by `ORDER`: "+strings.Join(board.Orders, ", "))
	f.DurationVar(&s.interval, "interval", time.Second, "ask the workers each `DURATION`")
	f.StringVar(&s.access.User, "user", "", "log in as `USER`, with the password in "+passwordVariable+" or -password-file")
	f.StringVar(&passwordFile, "password-file", "", "read the password from the first line of `FILE`")
	f.StringVar(&s.access.CAFile, "cacert", "", "trust the certificate authorities in `FILE`")
	f.StringVar(&s.access.CertFile, "cert", "", "present the client certificate in `FILE` to the workers")
	f.StringVar(&s.access.KeyFile, "key", "", "read the key of -cert from `FILE`")
	var addresses []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				_, _ = io.WriteString(out, topUsage)
				f.SetOutput(out)
				f.PrintDefaults()
				_, _ = io.WriteString(out, topExamples)
			}
			return s, err
		}
		if f.NArg() == 0 {
			break
		}
		addresses = append(addresses, f.Arg(0))
		args = f.Args()[1:]
	}
	if len(addresses) == 0 {
		addresses = []string{feed.DefaultAddress}
	}
	for _, text := range addresses {
		u, err := feed.ParseAddress(text)
		if err != nil {
			return s, err
		}
		if !slices.ContainsFunc(s.urls, func(o *url.URL) bool { return o.String() == u.String() }) {
			s.urls = append(s.urls, u)
		}
	}
	s.filter = feed.Clean(s.filter)
	switch {
	case !slices.Contains(board.Orders, s.order):
		return s, fmt.Errorf("-sort must be one of %s, not %q", strings.Join(board.Orders, ", "), s.order)
	case s.interval < shortest || s.interval > longest:
		return s, fmt.Errorf("-interval must be from %v to %v", shortest, longest)
	}
	return s, s.login(passwordFile, getenv)
}

// login finds the password of -user.
func (s *settings) login(file string, getenv func(string) string) (err error) {
	switch {
	case s.access.User == "" && file != "":
		return errors.New("-password-file needs -user")
	case s.access.User == "":
		return nil
	case strings.Contains(s.access.User, ":"):
		return fmt.Errorf("-user takes no password, which other users of this machine would see: put it in %s or -password-file", passwordVariable)
	case file != "":
		s.access.Password, err = feed.ReadPassword(file)
		return err
	}
	if s.access.Password = getenv(passwordVariable); s.access.Password == "" {
		return fmt.Errorf("the password of -user is missing: put it in %s or -password-file", passwordVariable)
	}
	return nil
}
