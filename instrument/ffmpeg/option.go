package ffmpeg

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// An Option configures one [Run], [Probe] or [Check]. Its comment says which of them accept it; the
// others return an [*Error] of type bad_args.
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
	share     *share // of WithShare; nil: the run is its whole stage
	quiet     bool   // no progress is reported to the stage
	hasOutput bool
	output    string
	stdin     *os.File
	stdout    io.Writer
	stderr    io.Writer
	formats   []string
	protocols []string
	packets   *packetCounter // of Check
	input     string         // the URL that Check reads
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
		c.binary, c.stall = "ffprobe", defaultProbeTime
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

// WithPath runs the given binary: a path, or a name that is looked up in PATH. The default is
// ffmpeg, and ffprobe for [Probe]. For Run, Probe and Check.
func WithPath(binary string) Option {
	return option{"WithPath", forAll, func(c *config) error {
		if binary == "" {
			return fmt.Errorf("(%q): the name of a binary is needed", binary)
		}
		c.binary = binary
		return nil
	}}
}

// WithGrace sets the time between SIGTERM and SIGKILL, in which a process can finish its files. The
// default is 5 seconds. With 0 the process is killed at once. For Run, Probe and Check.
func WithGrace(d time.Duration) Option {
	return option{"WithGrace", forAll, func(c *config) error {
		if d < 0 {
			return fmt.Errorf("(%v): must not be negative", d)
		}
		c.grace = d
		return nil
	}}
}

// WithStallTimeout ends a process whose output has not grown for d, in time, frames or size. The
// error is of type stalled. Choose d longer than ffmpeg may take without writing: to connect, to
// seek with -ss after the input, to move the index of a large file to the front (faststart), to
// wait for a slow writer of [WithStdout]. Check grows by what it reads. Probe has no output that
// grows, so for it d is the time for the whole answer.
//
// 0 waits for ever. That is the default of Run and Check; the one of Probe is a minute. A process
// that the kernel cannot end, because it waits for a broken device, is waited for in spite of d.
// For Run, Probe and Check.
func WithStallTimeout(d time.Duration) Option {
	return option{"WithStallTimeout", forAll, func(c *config) error {
		if d < 0 {
			return fmt.Errorf("(%v): must not be negative", d)
		}
		c.stall = d
		return nil
	}}
}

// WithProgress calls fn about four times a second with the state of the run, and after a success
// once more, with Done set. The calls come one after another from one goroutine, which is not the
// caller's. A slow fn misses states and does not slow ffmpeg down, but Run returns only after its
// last call. If fn panics, the panic is reported to otel.Handle and fn is not called again. For Run
// and Check.
func WithProgress(fn func(Progress)) Option {
	return option{"WithProgress", forMedia, func(c *config) error { c.progress = fn; return nil }}
}

// WithDuration sets the media time that the run will write, from which Progress.Fraction and
// Progress.ETA are computed. 0 or less means unknown. For Run and Check.
func WithDuration(total time.Duration) Option {
	return option{"WithDuration", forMedia, func(c *config) error { c.total = max(total, 0); return nil }}
}

// WithShare reports the progress of the run to its stage as a share of the stage's work: of two
// passes, the first may take it from 0 to 0.5 and the second from 0.5 to 1. Without the option each
// run reports as if it were the whole stage. A run whose total is unknown, see [WithDuration],
// reports only its end. The function of [WithProgress] still receives the progress of the run
// itself. Outside of a stage the option has no effect. It requires 0 ≤ from < to ≤ 1. For Run and
// Check.
func WithShare(from, to float64) Option {
	return option{"WithShare", forMedia, func(c *config) error {
		if !(0 <= from && from < to && to <= 1) {
			return fmt.Errorf("(%v, %v): want 0 ≤ from < to ≤ 1", from, to)
		}
		c.share = &share{from, to}
		return nil
	}}
}

// WithOutput appends the output file as the last argument. ffmpeg writes to a temporary, hidden
// file beside path that has path's extension. When the run has succeeded and has written something,
// the file is renamed to path in one step and replaces a file that was there. So path is at every
// moment either as before or complete, also after a crash or a power cut. Otherwise the temporary
// file is removed. If the program was killed, the next run with the same path removes it, on file
// systems that have locks (flock); Windows has none.
//
// An output without media is not a success: the error is of type empty_output. That is a video
// without a frame, and a file of nothing but headers and a cover, which many formats make of no
// sound at all. An output that is shorter than a second or smaller than 64 KiB is read to find out,
// which takes the time of one more ffmpeg. A stream that is empty beside one that is not is a
// success, since a part that is cut out of a film may lack one.
//
// -y and -abort_on empty_output are set. The path is taken literally: "-" and "pipe:1" are names of
// files. It must not be a directory, a device or the like. A symbolic link is replaced, not
// followed. WithOutput does not work for outputs of many files (image sequences, HLS, tee). For
// Run.
func WithOutput(path string) Option {
	return option{"WithOutput", forRun, func(c *config) error {
		if path == "" || strings.ContainsRune(path, 0) {
			return fmt.Errorf("(%q): the name of a file is needed", path)
		}
		c.hasOutput, c.output = true, path
		return nil
	}}
}

// WithStdin sets the file that ffmpeg reads as pipe:0: the read end of an os.Pipe, a file, a
// connection's File. It is a file and not an io.Reader because ffmpeg reads it directly. The caller
// closes it. The default is empty. For Run.
func WithStdin(f *os.File) Option {
	return option{"WithStdin", forRun, func(c *config) error { c.stdin = f; return nil }}
}

// WithStdout writes to w what ffmpeg writes to pipe:1, or a filter to file=-. Run waits for the
// calls of Write, which come from one goroutine. A Write that fails ends the run. For Run.
func WithStdout(w io.Writer) Option {
	return option{"WithStdout", forRun, func(c *config) error { c.stdout = w; return nil }}
}

// WithStderr writes all of ffmpeg's log to w, unchanged: with passwords and keys, if ffmpeg prints
// them. Filters that report to the log, such as
// loudnorm with print_format=json, do so at level info: pass "-loglevel", "level+info" in args for
// them. The calls of Write come from one goroutine, and Run waits for them. After a Write that
// fails, w is not written to again. For Run, Probe and Check.
func WithStderr(w io.Writer) Option {
	return option{"WithStderr", forAll, func(c *config) error { c.stderr = w; return nil }}
}

// WithFormats replaces the list of demuxers that may open the input, by the names that ffmpeg
// -demuxers prints; see [Input]. For Probe and Check.
func WithFormats(names ...string) Option {
	return option{"WithFormats", forInputs, func(c *config) error { return setNames(&c.formats, names) }}
}

// WithProtocols opens the input as a URL and not as a local file, with these protocols, such as
// "https", "tls", "tcp". For Probe and Check.
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
