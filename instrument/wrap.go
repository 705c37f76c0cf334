package instrument

import "context"

// WrapJob returns a function whose every call is a job of the pipeline of its context, with the id
// that idOf returns for the argument; see [RunJob]. It has the signature of fn.
func WrapJob[In, Out any](idOf func(In) string, fn func(context.Context, In) (Out, error), opts ...JobOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		var id string
		if idOf != nil {
			id = idFor(idOf, in)
		}
		err = RunJob(ctx, id, func(ctx context.Context) (err error) {
			if fn == nil {
				return nilFunc("WrapJob")
			}
			out, err = fn(ctx, in)
			return err
		}, opts...)
		return out, err
	}
}

// idFor returns the id that idOf returns, or "" if that panics. A runtime.Goexit passes, since no
// job has begun.
func idFor[In any](idOf func(In) string, in In) (id string) {
	defer func() {
		if v := recover(); v != nil {
			handle(panicked("the id function of WrapJob", v))
		}
	}()
	return idOf(in)
}

// WrapStage returns a function whose every call is a stage; see [RunStage]. It has the signature of
// fn.
//
//	var analyze = instrument.WrapStage("analysis", analyzeVideo)
func WrapStage[In, Out any](name string, fn func(context.Context, In) (Out, error), opts ...StageOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		return RunStageValue(ctx, name, bind("WrapStage", fn, in), opts...)
	}
}

// WrapCall returns a function whose every call is a paid call; see [RunCallValue]. It has the
// signature of fn.
func WrapCall[In, Out any](api string, price func(Out) USD, fn func(context.Context, In) (Out, error), opts ...CallOption) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		return RunCallValue(ctx, api, price, bind("WrapCall", fn, in), opts...)
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
