package ffmpeg

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// An Option sets up one [Run], [Probe] or [Check]. Its comment says which of them take it; the others refuse it with an
// [*Error] of type bad_args.
type Option interface{ apply(*config) error }

type operation string

const (
	opRun   operation = "run"
	opProbe operation = "probe"
	opCheck operation = "check"
)

const defaultGrace = 5 * time.Second

type config struct {
	op        operation
	binary    string
	grace     time.Duration
	stall     time.Duration
	total     time.Duration
	progress  func(Progress)
	hasOutput bool
	output    string
	stdin     *os.File
	stdout    io.Writer
	stderr    io.Writer
	formats   []string
	protocols []string
}

type option struct {
	name string
	ops  []operation
	set  func(*config) error
}

func (o option) apply(c *config) error {
	if !slices.Contains(o.ops, c.op) {
		return fmt.Errorf("%s is not an option of %s", o.name, c.op)
	}
	if err := o.set(c); err != nil {
		return fmt.Errorf("%s%w", o.name, err)
	}
	return nil
}

var (
	forAll    = []operation{opRun, opProbe, opCheck}
	forRun    = []operation{opRun}
	forMedia  = []operation{opRun, opCheck}   // those that have progress
	forInputs = []operation{opProbe, opCheck} // those that open the input themselves
)

func newConfig(op operation, opts []Option) (config, error) {
	c := config{op: op, binary: "ffmpeg", grace: defaultGrace}
	if op == opProbe {
		c.binary = "ffprobe"
	}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.apply(&c); err != nil {
			return c, &Error{Op: string(op), Type: TypeBadArgs, ExitCode: -1, err: err}
		}
	}
	if progressURL == "pipe:1" && c.stdout != nil && (c.progress != nil || c.stall > 0) {
		return c, &Error{Op: string(op), Type: TypeBadArgs, ExitCode: -1,
			err: fmt.Errorf("WithStdout excludes WithProgress and WithStallTimeout on this system")}
	}
	return c, nil
}

// WithPath runs the given binary: a path, or a name that is looked up in PATH. The default is ffmpeg, and ffprobe for
// [Probe]. All take it.
func WithPath(binary string) Option {
	return option{"WithPath", forAll, func(c *config) error {
		if binary == "" {
			return fmt.Errorf("(%q): the name of a binary is needed", binary)
		}
		c.binary = binary
		return nil
	}}
}

// WithGrace is how long a process that is told to end has to finish its files before it is killed: 5 s by default, at
// once with 0. All take it.
func WithGrace(d time.Duration) Option {
	return option{"WithGrace", forAll, func(c *config) error {
		if d < 0 {
			return fmt.Errorf("(%v): must not be negative", d)
		}
		c.grace = d
		return nil
	}}
}

// WithStallTimeout ends a process of which neither the output's time, frames nor size has grown for d, with an error
// of type stalled. Choose d longer than what ffmpeg may do without writing: connecting, seeking with -ss after the
// input, moving the index to the front (faststart) of a large file, waiting for a slow writer of [WithStdout]. 0, the
// default, waits for ever. Run and Check take it.
func WithStallTimeout(d time.Duration) Option {
	return option{"WithStallTimeout", forMedia, func(c *config) error {
		if d < 0 {
			return fmt.Errorf("(%v): must not be negative", d)
		}
		c.stall = d
		return nil
	}}
}

// WithProgress calls fn about four times a second with the state of the run, and after a success once more, with Done
// set. The calls come one after another from one goroutine, not the caller's; a slow fn misses states and never slows
// ffmpeg, but Run returns after its last call. A panic of fn goes to otel.Handle, and fn is not called again. Run and
// Check take it.
func WithProgress(fn func(Progress)) Option {
	return option{"WithProgress", forMedia, func(c *config) error { c.progress = fn; return nil }}
}

// WithDuration says how much media time the run will write, from which the fraction and the time to go follow.
// 0 or less means unknown. Run and Check take it.
func WithDuration(total time.Duration) Option {
	return option{"WithDuration", forMedia, func(c *config) error { c.total = max(total, 0); return nil }}
}

// WithOutput appends the run's last argument, its output file. It is written under a temporary, hidden name beside
// path and with path's extension, and takes path's place in one step, replacing a file that was there, only when
// the run has succeeded and written something: at every moment path is either what it was before or whole, also after
// a crash or a power cut. The temporary file is removed otherwise; what a killed program left is removed by the next run
// that has the same path, where the file system has locks (flock): not on Windows.
//
// -y and -abort_on empty_output are set. The path is taken literally: "-" and "pipe:1" are names of files. It must not
// be a directory, a device or the like (a symbolic link is replaced, not followed), and outputs that are many files
// (image sequences, HLS, tee) are not for WithOutput. Run takes it.
func WithOutput(path string) Option {
	return option{"WithOutput", forRun, func(c *config) error {
		if path == "" || strings.ContainsRune(path, 0) {
			return fmt.Errorf("(%q): the name of a file is needed", path)
		}
		c.hasOutput, c.output = true, path
		return nil
	}}
}

// WithStdin is what ffmpeg reads as pipe:0. It is a file, not an io.Reader, because ffmpeg reads it without help: the
// read end of an os.Pipe, a file, a connection's File. It stays the caller's to close. The default is empty. Run takes it.
func WithStdin(f *os.File) Option {
	return option{"WithStdin", forRun, func(c *config) error { c.stdin = f; return nil }}
}

// WithStdout gets what ffmpeg writes to pipe:1, or a filter to file=-. Run waits for its Write calls, which come from
// one goroutine; a Write that fails ends the run. Run takes it.
func WithStdout(w io.Writer) Option {
	return option{"WithStdout", forRun, func(c *config) error { c.stdout = w; return nil }}
}

// WithStderr gets all of ffmpeg's log, as it is. Filters that report to the log, such as loudnorm with
// print_format=json, do so at level info: put "-loglevel", "level+info" in the arguments for them. Run waits for its
// Write calls, which come from one goroutine; a Write that fails is the last one. All take it.
func WithStderr(w io.Writer) Option {
	return option{"WithStderr", forAll, func(c *config) error { c.stderr = w; return nil }}
}

// WithFormats replaces the list of demuxers that may open the input, by the names that ffmpeg -demuxers shows; see
// [Input]. Probe and Check take it.
func WithFormats(names ...string) Option {
	return option{"WithFormats", forInputs, func(c *config) error { return setNames(&c.formats, names) }}
}

// WithProtocols opens the input as a URL, by these protocols, such as "https", "tls", "tcp"; not as a local file.
// Probe and Check take it.
func WithProtocols(names ...string) Option {
	return option{"WithProtocols", forInputs, func(c *config) error { return setNames(&c.protocols, names) }}
}

func setNames(dst *[]string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("(): at least one name is needed")
	}
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, ", \x00") {
			return fmt.Errorf("(%q): not a name", name)
		}
	}
	*dst = slices.Clone(names)
	return nil
}
