package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// A Config is what the options say. The zero value is no options.
type Config struct {
	ServiceName     string
	ServiceVersion  string
	Attributes      []attribute.KeyValue
	Scrape          Scrape
	Addr            string // used if Scrape is Serve
	WebConfigFile   string
	NoWebConfig     bool // a web config file was wanted and cannot be used: no server
	Endpoint        string
	Interval        time.Duration
	Sampler         sdktrace.Sampler
	Views           []sdkmetric.View
	Series          int // limit for each instrument; 0: the SDK's
	Globals         Globals
	Logger          *slog.Logger
	ShutdownTimeout time.Duration
	Pace            Pace // zero: the default; tests set it

	errs []error
}

// Scrape is how the options turn Prometheus on or off.
type Scrape int

// The values of Scrape.
const (
	ScrapeUnset Scrape = iota // the environment decides
	ScrapeOff                 // no scrape
	ScrapeOnly                // a handler and no server
	ScrapeServe               // a handler, served on Config.Addr
)

// Globals is how Start treats the globals of package otel.
type Globals int

// The values of Globals.
const (
	GlobalsIfUnset Globals = iota // set providers and propagator that nobody has set
	GlobalsReplace                // set everything
	GlobalsKeep                   // set nothing
)

// Reject returns c with an error that says that the value in call cannot be used: what is allowed,
// and what happens instead.
func (c Config) Reject(call, want, used string) Config {
	return c.Note(fmt.Errorf("exporters: %s: want %s; %s", call, want, used))
}

// Note returns c with err, which [Resolve] joins to its own, without the secrets of URLs.
func (c Config) Note(err error) Config {
	c.errs = append(slices.Clip(c.errs), report.Hidden(err))
	return c
}

// err returns the joined errors of Reject and Note, or nil.
func (c Config) err() error { return errors.Join(c.errs...) }
