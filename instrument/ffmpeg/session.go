package ffmpeg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"syscall"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
)

// A session is the state of one run of ffmpeg or ffprobe.
type session struct {
	op       operation
	out      *output
	log      *logTail
	meter    meter
	report   *reporter
	pulse    *pulse
	progress *lines          // nil for Probe and Check
	packets  *packetCounter  // nil for all but Check
	stage    context.Context // of the stage that hears of the progress; nil outside of one
	share    *share          // of that stage's work; nil: all of it
	exit     exit
}

func newSession(ctx context.Context, c *config, out *output) *session {
	start := time.Now()
	s := &session{op: c.op, out: out, log: newLogTail(out.names()...), pulse: newPulse(start)}
	s.meter = meter{total: c.total, start: start}
	if c.op == opProbe {
		s.pulse.never = true
		return s
	}
	if c.op == opRun && progressURL == "pipe:1" && c.stdout != nil {
		return s
	}
	s.report = newReporter(c.progress)
	if instrument.StageFromContext(ctx) != nil && !c.quiet {
		s.stage, s.share = ctx, c.share
	}
	if s.packets = c.packets; s.packets != nil {
		s.packets.beat, s.log.verdict.input = s.countPackets(), c.input
		return s
	}
	var parser progressParser
	s.progress = &lines{max: 256, take: func(line []byte) {
		b, ok := parser.line(line)
		if !ok {
			return
		}
		now := time.Now()
		p, grew := s.meter.update(b, now)
		if grew {
			s.pulse.beat(now)
		}
		s.offer(p)
	}}
	return s
}

// countPackets returns a function to call after each packet. It reports the progress four times a
// second, as ffmpeg does for Run.
func (s *session) countPackets() func() {
	last := s.meter.start
	return func() {
		now := time.Now()
		s.pulse.beat(now)
		if now.Sub(last) < 250*time.Millisecond {
			return
		}
		last = now
		s.offer(s.read(now))
	}
}

// read takes what Check has read so far as its progress.
func (s *session) read(now time.Time) Progress {
	b := s.packets.state()
	if took := now.Sub(s.meter.start).Seconds(); took > 0 {
		b.speed, b.fps = b.time.Seconds()/took, float64(b.frames)/took
	}
	p, _ := s.meter.update(b, now)
	return p
}

// offer passes a state on to the function of WithProgress and to the stage.
func (s *session) offer(p Progress) {
	s.report.offer(p)
	switch speed := instrument.WithSpeed(p.Speed); {
	case s.stage == nil:
	case s.share != nil:
		if p.Fraction >= 0 {
			instrument.ReportProgress(s.stage, s.share.at(p.Fraction), 1, speed)
		}
	default:
		done := p.Time
		if p.Done { // the total may have been an estimate
			done = max(p.Time, p.Total)
		}
		instrument.ReportProgress(s.stage, done.Seconds(), p.Total.Seconds(), instrument.WithUnit("s"), speed)
	}
}

// A share is the part of its stage's work that a run does.
type share struct{ from, to float64 }

// at returns the fraction of the stage that is done when this fraction of the run is.
func (s share) at(fraction float64) float64 { return s.from + fraction*(s.to-s.from) }

// globals returns the options of ffmpeg that come before all others.
func (s *session) globals() []string {
	g := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"}
	if s.progress != nil {
		g = append(g, "-stats_period", "0.25", "-progress", progressURL)
	}
	return g
}

func (s *session) process(c *config, args []string) *process {
	s.log.secrets = secretsOf(args)
	p := &process{
		binary: c.binary, args: args, stdin: c.stdin, stdout: c.stdout, log: s.log,
		grace: c.grace, stall: c.stall, pulse: s.pulse,
	}
	if s.progress != nil {
		p.progress = s.progress
	}
	if c.stderr != nil {
		p.log = io.MultiWriter(s.log, &guard{w: c.stderr, failed: func(err error) {
			otel.Handle(fmt.Errorf("ffmpeg: WithStderr: %w", err))
		}})
	}
	return p
}

// failure returns the error of the process that has ended, or nil after a success.
func (s *session) failure() error {
	e := s.exit
	switch ended := e.ended.(type) { // not by errors.As: the cause of a context may wrap the failure of another run
	case stallError:
		return s.newError(TypeStalled, ended)
	case *brokenError:
		if errors.Is(ended, errTooLong) {
			return s.newError(TypeInvalidData, ended)
		}
		return s.newError(fileErrorType(ended.err, TypeBrokenPipe), ended)
	case *ctxEnded:
		if ended.timeout {
			return s.newError(TypeTimeout, ended)
		}
		return s.newError(TypeCanceled, ended)
	}
	if e.state == nil {
		return s.newError(startErrorType(e.err), e.err)
	}
	if e.err != nil {
		return s.newError(s.exitType(), e.err)
	}
	if said := s.log.verdict; said.lost {
		return s.newError(cmp.Or(said.errorType, TypeIO), errors.New("exited with 0 though the output's end is lost"))
	}
	if s.op == opRun && s.meter.seen > 0 && !s.meter.end {
		return s.newError(TypeExit, errors.New("exited with 0 before it reported its end"))
	}
	return nil
}

// broken returns the error of a Check that has exited with 0: nil if it has read the whole file.
func (s *session) broken() error {
	said := s.log.verdict
	if said.errorType == TypeTruncated {
		return s.newError(TypeTruncated, nil)
	}
	if said.brokeOff { // which ffmpeg before 7 takes for the file's end
		return s.newError(cmp.Or(said.errorType, TypeIO), errors.New("not read to its end"))
	}
	return nil
}

func startErrorType(err error) string {
	// A script whose interpreter is missing is reported as not found, too.
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, exec.ErrDot) || errors.Is(err, fs.ErrNotExist) {
		return TypeNoBinary
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.E2BIG) { // a NUL in an argument, too long
		return TypeBadArgs
	}
	return fileErrorType(err, TypeNotStarted)
}

// exitType returns the type of an exit that is not 0.
func (s *session) exitType() string {
	if sig := signalOf(s.exit.state); sig != nil {
		if crashed(sig) {
			return TypeCrashed
		}
		return TypeKilled
	}
	said := s.log.verdict.errorType
	switch s.exit.state.ExitCode() {
	case 123, 255: // ffmpeg's, when it ends because of a signal; later than 6.1, 255 is also EPERM
		if said != TypePermission {
			return TypeKilled
		}
	case 128 + 9, 128 + 15: // a shell's, when ffmpeg ended by one; later than 6.1, 143 is also EHOSTUNREACH
		if said != TypeNetwork {
			return TypeKilled
		}
	}
	if said == "" {
		return TypeExit
	}
	return said
}

// newError returns an error of this type, with what is known of the process.
func (s *session) newError(errorType string, err error) *Error {
	e := &Error{Op: string(s.op), Type: errorType, ExitCode: -1, Stderr: s.log.tail(), err: err}
	if state := s.exit.state; state != nil {
		e.ExitCode, e.Signal = state.ExitCode(), signalOf(state)
	}
	e.line = s.log.lastWords()
	if s.log.verdict.errorType == errorType {
		e.line = s.log.decisive()
	}
	return e
}

// publish publishes the output of a run that succeeded, if there is something in it.
func (s *session) publish(ctx context.Context, c *config) error {
	if s.meter.hasFrames && s.meter.now.Frames == 0 {
		return s.newError(TypeEmptyOutput, errors.New("no frame was written"))
	}
	if s.isEmpty(ctx, c) {
		return s.newError(TypeEmptyOutput, errors.New("no media was written"))
	}
	size, err := s.out.publish()
	if err != nil {
		return s.newError(fileErrorType(err, TypeIO), err)
	}
	if size == 0 {
		return s.newError(TypeEmptyOutput, errors.New("nothing was written"))
	}
	s.meter.now.Size = max(s.meter.now.Size, size)
	return nil
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
