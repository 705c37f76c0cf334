package instrument

import (
	"context"
	"fmt"

	"github.com/stagemeter/stagemeter/semconv"
)

// RunJob runs fn as a job and returns its error unchanged. What [Pipeline.StartJob] and [Job.End] say holds; a
// runtime.Goexit in fn is seen and counts as failed.
func (p *Pipeline) RunJob(ctx context.Context, id string, fn func(context.Context) error, opts ...JobOption) (err error) {
	ctx, j := p.StartJob(ctx, id, opts...)
	var at progress
	defer j.run(&err, &at)
	if fn == nil {
		err = nilFunc("RunJob")
	} else {
		err = fn(ctx)
	}
	at = hasEnded
	j.returned(err)
	return err
}

// RunStage runs fn as a stage and returns its results unchanged. What [StartStage] and [Stage.End] say holds; a
// runtime.Goexit in fn is seen and counts as an error of type goexit.
//
//	segments, err := instrument.RunStage(ctx, "analysis", func(ctx context.Context) ([]Segment, error) {
//		return detect(ctx, video)
//	})
func RunStage[T any](ctx context.Context, name string, fn func(context.Context) (T, error), opts ...StageOption) (out T, err error) {
	ctx, s := StartStage(ctx, name, opts...)
	var at progress
	defer s.run(&err, &at)
	if fn == nil {
		err = nilFunc("RunStage")
	} else {
		out, err = fn(ctx)
	}
	at = hasEnded
	s.returned(err)
	return out, err
}

// RunCall makes one call of a paid API and returns its results unchanged, or, if the budget refuses it, a
// [*BudgetError] and the zero T without making it. A call that succeeds costs what price says of its result; a nil
// price, one that panics, and an amount that cannot be booked leave the estimate. What [StartCall] and [Call.End]
// say holds.
//
//	text, err := instrument.RunCall(ctx, "whisper",
//		func(t Transcript) instrument.USD { return perMinute.Prorate(int64(t.Duration), int64(time.Minute)) },
//		func(ctx context.Context) (Transcript, error) { return client.Transcribe(ctx, audio) })
func RunCall[T any](ctx context.Context, api string, price func(T) USD, call func(context.Context) (T, error), opts ...CallOption) (out T, err error) {
	ctx, c, err := StartCall(ctx, api, opts...)
	if err != nil {
		return out, err
	}
	var at progress
	defer c.run(&err, &at)
	if call == nil {
		err = nilFunc("RunCall")
	} else {
		out, err = call(ctx)
	}
	at = hasReturned
	if err == nil {
		priceCall(c, price, out)
	}
	at = hasEnded
	c.returned(err)
	return out, err
}

func priceCall[T any](c *Call, price func(T) USD, out T) {
	if price == nil || c == nil {
		return
	}
	defer c.priceFailed()
	c.SetCost(price(out))
}

// priceFailed contains the price function's panic. It is deferred directly, where contain would be given a text that
// is needed for this alone.
func (c *Call) priceFailed() {
	if v := recover(); v != nil {
		c.p.countInvalid(c.ctx, semconv.CostName, semconv.InvalidReasonBadFormat)
		handle(panicked("the price function of "+c.handle.name, v))
	}
}

// WrapJob makes a function whose every call is a job of the pipeline of its context, with the id that idOf finds in
// the argument. It has the signature of fn.
func WrapJob[In, Out any](idOf func(In) string, fn func(context.Context, In) (Out, error), opts ...JobOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		var id string
		if idOf != nil {
			if err := contain("the id function of WrapJob", func() error { id = idOf(in); return nil }); err != nil {
				handle(err)
			}
		}
		err = scopeOf(ctx).p.RunJob(ctx, id, func(ctx context.Context) (err error) {
			if fn == nil {
				return nilFunc("WrapJob")
			}
			out, err = fn(ctx, in)
			return err
		}, opts...)
		return out, err
	}
}

// WrapStage makes a function whose every call is a stage; see [RunStage]. It has the signature of fn.
//
//	var analyze = instrument.WrapStage("analysis", analyzeVideo)
func WrapStage[In, Out any](name string, fn func(context.Context, In) (Out, error), opts ...StageOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		return RunStage(ctx, name, bind("WrapStage", fn, in), opts...)
	}
}

// WrapCall makes a function whose every call is a paid call; see [RunCall]. It has the signature of fn.
func WrapCall[In, Out any](api string, price func(Out) USD, fn func(context.Context, In) (Out, error), opts ...CallOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		return RunCall(ctx, api, price, bind("WrapCall", fn, in), opts...)
	}
}

func bind[In, Out any](what string, fn func(context.Context, In) (Out, error), in In) func(context.Context) (Out, error) {
	return func(ctx context.Context) (out Out, err error) {
		if fn == nil {
			return out, nilFunc(what)
		}
		return fn(ctx, in)
	}
}

type nilFuncError string

func nilFunc(what string) error { return nilFuncError(what) }

func (e nilFuncError) Error() string {
	return fmt.Sprintf("instrument: %s: the function is nil", string(e))
}
func (e nilFuncError) ErrorType() string { return "nil_func" }

// progress is how far a Run function has come.
type progress int

const (
	underway progress = iota
	hasReturned
	hasEnded
)

// What a Run function has started is ended by returned, when the function that it runs has returned. Deferred directly
// is run, which ends it if that did not happen: the function has panicked, or ended its goroutine. So what goes well
// does not pay for a recover.
//
// Nobody else has the stage of a RunStage or the call of a RunCall, so nobody else can end it, and done is not asked.

func (j *Job) returned(err error) {
	if j != nil && j.done.CompareAndSwap(false, true) {
		j.finish(outcome{err: err})
	}
}

func (j *Job) run(errp *error, at *progress) {
	if j == nil || *at == hasEnded || !j.done.CompareAndSwap(false, true) {
		return
	}
	o := ran(errp, recover(), *at)
	j.finish(o)
	o.deliver(j.scope.p, errp)
}

func (s *Stage) returned(err error) {
	if s != nil {
		s.finish(outcome{err: err})
	}
}

func (s *Stage) run(errp *error, at *progress) {
	if s == nil || *at == hasEnded {
		return
	}
	o := ran(errp, recover(), *at)
	s.finish(o)
	o.deliver(s.scope.p, errp)
}

func (c *Call) returned(err error) {
	if c != nil {
		c.finish(outcome{err: err})
	}
}

func (c *Call) run(errp *error, at *progress) {
	if c == nil || *at == hasEnded {
		return
	}
	o := ran(errp, recover(), *at)
	c.finish(o)
	o.deliver(c.p, errp)
}

func ran(errp *error, recovered any, at progress) outcome {
	if recovered == nil && at == underway {
		return outcome{err: errGoexit}
	}
	return ended(errp, recovered)
}
