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
	priced := false
	defer c.priceFailed(&priced)
	cost := price(out)
	priced = true
	c.SetCost(cost)
}

// priceFailed contains the price function's panic, and reports its runtime.Goexit, after which the
// call ends. It is deferred directly: contain would take an allocation for each call.
func (c *Call) priceFailed(priced *bool) {
	v := recover()
	if v == nil && *priced {
		return
	}
	c.price.setInvalid()
	c.scope.p.countInvalid(&c.scope, semconv.CostName, semconv.InvalidReasonBadFormat)
	if v != nil {
		handle(panicked("the price function of "+c.handle.name, v))
	} else {
		handle(exited("the price function of " + c.handle.name))
	}
}
