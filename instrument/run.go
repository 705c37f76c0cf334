package instrument

import (
	"context"

	"github.com/stagemeter/stagemeter/semconv"
)

// RunJob runs fn as a job of the pipeline of ctx, or of [Default]; see [Pipeline.RunJob].
func RunJob(ctx context.Context, id string, fn func(context.Context) error, opts ...JobOption) error {
	return scopeOf(ctx).p.RunJob(ctx, id, fn, opts...)
}

// RunJob runs fn as a job and returns its error unchanged. What [Pipeline.StartJob] and [Job.End]
// say holds. A runtime.Goexit in fn is seen, and counts as failed.
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

// RunJobValue is [RunJob] for a function that returns a value.
func RunJobValue[T any](ctx context.Context, id string, fn func(context.Context) (T, error), opts ...JobOption) (out T, err error) {
	err = scopeOf(ctx).p.RunJob(ctx, id, func(ctx context.Context) (err error) {
		if fn == nil {
			return nilFunc("RunJobValue")
		}
		out, err = fn(ctx)
		return err
	}, opts...)
	return out, err
}

// RunStage runs fn as a stage and returns its error unchanged. What [StartStage] and [Stage.End]
// say holds. A runtime.Goexit in fn is seen, and counts as an error of type goexit.
//
//	err := instrument.RunStage(ctx, "rendering", func(ctx context.Context) error {
//		return render(ctx, video)
//	})
func RunStage(ctx context.Context, name string, fn func(context.Context) error, opts ...StageOption) error {
	return runStage(ctx, scopeOf(ctx), name, fn, opts)
}

// RunStage is the function [RunStage] for this pipeline; see [Pipeline.StartStage].
func (p *Pipeline) RunStage(ctx context.Context, name string, fn func(context.Context) error, opts ...StageOption) error {
	return runStage(ctx, p.scopeIn(ctx), name, fn, opts)
}

func runStage(ctx context.Context, outer *scope, name string, fn func(context.Context) error, opts []StageOption) (err error) {
	ctx, s := startStage(ctx, outer, name, opts)
	var at progress
	defer s.run(&err, &at)
	if fn == nil {
		err = nilFunc("RunStage")
	} else {
		err = fn(ctx)
	}
	at = hasEnded
	s.returned(err)
	return err
}

// RunStageValue is [RunStage] for a function that returns a value.
//
//	segments, err := instrument.RunStageValue(ctx, "analysis", func(ctx context.Context) ([]Segment, error) {
//		return detect(ctx, video)
//	})
func RunStageValue[T any](ctx context.Context, name string, fn func(context.Context) (T, error), opts ...StageOption) (out T, err error) {
	ctx, s := StartStage(ctx, name, opts...)
	var at progress
	defer s.run(&err, &at)
	if fn == nil {
		err = nilFunc("RunStageValue")
	} else {
		out, err = fn(ctx)
	}
	at = hasEnded
	s.returned(err)
	return out, err
}

// RunCall makes one call of a paid API and returns its error unchanged, or, if the budget refuses
// the call, a [*BudgetError] without making it. What [StartCall] and [Call.End] say holds. Say what
// the call cost with [CallFromContext] and [Call.SetCost], or run it with [RunCallValue].
func RunCall(ctx context.Context, api string, call func(context.Context) error, opts ...CallOption) error {
	return runCall(ctx, scopeOf(ctx), api, call, opts)
}

// RunCall is the function [RunCall] for this pipeline; see [Pipeline.StartCall].
func (p *Pipeline) RunCall(ctx context.Context, api string, call func(context.Context) error, opts ...CallOption) error {
	return runCall(ctx, p.scopeIn(ctx), api, call, opts)
}

func runCall(ctx context.Context, outer *scope, api string, call func(context.Context) error, opts []CallOption) (err error) {
	ctx, c, err := startCall(ctx, outer, api, opts)
	if err != nil {
		return err
	}
	var at progress
	defer c.run(&err, &at)
	if call == nil {
		err = nilFunc("RunCall")
	} else {
		err = call(ctx)
	}
	at = hasEnded
	c.returned(err)
	return err
}

// RunCallValue is [RunCall] for a call that returns a value. A call that succeeds costs what price
// returns for that value. A nil price, one that panics, and an amount that cannot be booked leave
// the cost to [Call.End]. If the budget refuses the call, RunCallValue returns the zero T.
//
//	perMinute := money.PerMinute(6 * money.Cent / 10)
//	text, err := instrument.RunCallValue(ctx, "whisper",
//		func(t Transcript) instrument.USD { return perMinute.Of(t.Duration) },
//		func(ctx context.Context) (Transcript, error) { return client.Transcribe(ctx, audio) })
func RunCallValue[T any](ctx context.Context, api string, price func(T) USD, call func(context.Context) (T, error), opts ...CallOption) (out T, err error) {
	ctx, c, err := StartCall(ctx, api, opts...)
	if err != nil {
		return out, err
	}
	var at progress
	defer c.run(&err, &at)
	if call == nil {
		err = nilFunc("RunCallValue")
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

// priceFailed contains the price function's panic. It is deferred directly: contain would be given
// a text that is needed for nothing else.
func (c *Call) priceFailed() {
	if v := recover(); v != nil {
		c.price.setInvalid()
		c.scope.p.countInvalid(&c.scope, semconv.CostName, semconv.InvalidReasonBadFormat)
		handle(panicked("the price function of "+c.handle.name, v))
	}
}

// progress is how far a Run function has come.
type progress int

const (
	underway progress = iota
	hasReturned
	hasEnded
)

// A Run function ends what it has started with returned, once its function has returned. It defers
// run directly, which ends it if the function has panicked or ended its goroutine. So a function
// that returns does not pay for a recover.

func (j *Job) returned(err error) {
	if j != nil && j.done.CompareAndSwap(false, true) {
		j.finish(ending{err: err})
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
	if s != nil && s.done.CompareAndSwap(false, true) {
		s.finish(ending{err: err})
	}
}

func (s *Stage) run(errp *error, at *progress) {
	if s == nil || *at == hasEnded || !s.done.CompareAndSwap(false, true) {
		return
	}
	o := ran(errp, recover(), *at)
	s.finish(o)
	o.deliver(s.scope.p, errp)
}

func (c *Call) returned(err error) {
	if c != nil && c.done.CompareAndSwap(false, true) {
		c.finish(ending{err: err})
	}
}

func (c *Call) run(errp *error, at *progress) {
	if c == nil || *at == hasEnded || !c.done.CompareAndSwap(false, true) {
		return
	}
	o := ran(errp, recover(), *at)
	c.finish(o)
	o.deliver(c.scope.p, errp)
}

func ran(errp *error, recovered any, at progress) ending {
	if recovered == nil && at == underway {
		return ending{err: errGoexit}
	}
	return ended(errp, recovered)
}
