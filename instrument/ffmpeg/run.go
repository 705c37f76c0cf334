package ffmpeg

import (
	"context"
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// A Result holds what a run wrote and the resources that it took. After a failure it holds what is
// known.
type Result struct {
	Frames  int64                   // of the output's first video stream (with -c copy: packets); 0 without one
	Time    time.Duration           // media time written, or read by Check
	Size    int64                   // bytes written; 0 if unknown, as for -f null
	Elapsed time.Duration           // since the start of the run
	Usage   instrument.ProcessUsage // CPU time and peak memory
}

// Run runs ffmpeg with args, which no shell interprets, and waits for its end. It adds options for
// the log and the progress before args, and the output of [WithOutput] after them. Use [Input] for
// files whose names or contents come from others.
//
// The error is an [*Error], or nil if ffmpeg exited with 0 and reported its end. ffmpeg also
// succeeds when it reads a truncated input, or nothing at all: see [Check] and [WithOutput]. For an
// output to a pipe or an address, Result.Time and Result.Frames are 0 if nothing was written.
func Run(ctx context.Context, args []string, opts ...Option) (Result, error) {
	c, err := newConfig(opRun, opts)
	if err != nil {
		return Result{}, err
	}
	var out *output
	if c.hasOutput {
		if out, err = newOutput(c.output); err != nil {
			return Result{}, &Error{Op: string(c.op), Type: fileErrorType(err, TypeBadArgs), ExitCode: -1, err: err}
		}
		defer out.discard()
	}
	return c.run(ctx, args, out)
}

// run runs ffmpeg for Run and Check, with progress.
func (c *config) run(ctx context.Context, args []string, out *output) (Result, error) {
	s := newSession(ctx, c, out)
	defer s.report.close()
	s.exit = s.process(c, slices.Concat(s.globals(), args, out.args())).run(orBackground(ctx))
	s.progress.flush()
	if s.packets != nil {
		s.packets.flush()
		s.read(time.Now())
	}

	err := s.failure()
	if err == nil && c.op == opCheck {
		err = s.broken()
	}
	if err == nil && out != nil {
		err = s.publish(orBackground(ctx), c)
	}
	now := time.Now()
	if err == nil {
		s.offer(s.meter.done(now))
	}
	res := Result{
		Frames: s.meter.now.Frames, Time: s.meter.now.Time, Size: s.meter.now.Size,
		Elapsed: now.Sub(s.meter.start), Usage: s.exit.usage,
	}
	if err != nil {
		return res, err
	}
	return res, nil
}
