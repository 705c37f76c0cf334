package instrument_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
)

// Receivers that a program has by accident: nil, and zero. All are inert, so that measuring is never a reason to
// check for nil.
var receivers = []any{
	(*instrument.Pipeline)(nil), &instrument.Pipeline{},
	(*instrument.Job)(nil), &instrument.Job{},
	(*instrument.Stage)(nil), &instrument.Stage{},
	(*instrument.Call)(nil), &instrument.Call{},
	(*instrument.Insert)(nil), &instrument.Insert{},
	(*instrument.Process)(nil), &instrument.Process{},
	(*instrument.PanicError)(nil), &instrument.PanicError{},
	(*instrument.BudgetError)(nil), &instrument.BudgetError{},
	(*instrument.USD)(nil), new(instrument.USD),
}

func TestMethodsOfNilAndZero(t *testing.T) {
	for _, receiver := range receivers {
		v := reflect.ValueOf(receiver)
		for name, method := range pointerMethods(v) {
			what := fmt.Sprintf("(%s).%s on nil", v.Type(), name)
			if !v.IsNil() {
				what = fmt.Sprintf("(%s).%s on zero", v.Type(), name)
			}
			t.Run(what, func(t *testing.T) {
				args := make([]reflect.Value, 0, method.Type().NumIn())
				for i := range method.Type().NumIn() {
					args = append(args, reflect.Zero(method.Type().In(i)))
				}
				if panicked := recovered(func() {
					if method.Type().IsVariadic() {
						method.CallSlice(args)
					} else {
						method.Call(args)
					}
				}); panicked != nil {
					t.Errorf("panicked with %v", panicked)
				}
			})
		}
	}
}

// pointerMethods are the exported methods that have the pointer as their receiver. Those of the value panic on a nil
// pointer before they are called, in any Go program.
func pointerMethods(v reflect.Value) map[string]reflect.Value {
	methods := make(map[string]reflect.Value)
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		if _, ofValue := v.Type().Elem().MethodByName(name); !ofValue {
			methods[name] = v.Method(i)
		}
	}
	return methods
}

// Every exported function with the zero of each argument. What they return is as usable as what they were given.
var functions = map[string]func(){
	"New":                  func() { _, _ = instrument.New() },
	"Default":              func() { instrument.Default() },
	"SetDefault":           func() { instrument.SetDefault(nil)() },
	"ContextWithPipeline":  func() { instrument.StartStage(instrument.ContextWithPipeline(noContext, nil), "") },
	"JobFromContext":       func() { instrument.JobFromContext(noContext).End(nil) },
	"StartStage":           func() { ctx, s := instrument.StartStage(noContext, ""); s.End(nil); _ = ctx.Err() },
	"StartCall":            func() { ctx, c, _ := instrument.StartCall(noContext, ""); c.End(nil); _ = ctx.Err() },
	"StageFromContext":     func() { instrument.StageFromContext(noContext).End(nil) },
	"CallFromContext":      func() { instrument.CallFromContext(noContext).End(nil) },
	"StartJob":             func() { ctx, j := instrument.StartJob(noContext, ""); j.End(nil); _ = ctx.Err() },
	"RunJob":               func() { _ = instrument.RunJob(noContext, "", nil) },
	"RunJobValue":          func() { _, _ = instrument.RunJobValue[int](noContext, "", nil) },
	"Enqueue":              func() { instrument.Enqueue(noContext, "", nil) },
	"StartEnqueue":         func() { ctx, e := instrument.StartEnqueue(noContext, nil); e.Committed(""); e.End(nil); _ = ctx.Err() },
	"OutcomeOf":            func() { instrument.OutcomeOf(noContext, nil) },
	"RunStage":             func() { _ = instrument.RunStage(noContext, "", nil) },
	"RunStageValue":        func() { _, _ = instrument.RunStageValue[int](noContext, "", nil) },
	"RunCall":              func() { _ = instrument.RunCall(noContext, "", nil) },
	"RunCallValue":         func() { _, _ = instrument.RunCallValue[int](noContext, "", nil, nil) },
	"WrapJob":              func() { _, _ = instrument.WrapJob[int, int](nil, nil)(noContext, 0) },
	"WrapStage":            func() { _, _ = instrument.WrapStage[int, int]("", nil)(noContext, 0) },
	"WrapCall":             func() { _, _ = instrument.WrapCall[int, int]("", nil, nil)(noContext, 0) },
	"Spend":                func() { instrument.Spend(noContext, "", 0) },
	"SpendUnpriced":        func() { instrument.SpendUnpriced(noContext, "", "") },
	"RecordError":          func() { instrument.RecordError(noContext, nil) },
	"RecordLoudnessSpread": func() { instrument.RecordLoudnessSpread(noContext, "", 0) },
	"RecordNormalization":  func() { instrument.RecordNormalization(noContext, 0) },
	"RecordSegments":       func() { instrument.RecordSegments(noContext, 0) },
	"RecordHighlight":      func() { instrument.RecordHighlight(noContext, 0) },
	"ReportProgress":       func() { instrument.ReportProgress(noContext, 0, 0) },
	"WithUnit":             func() { instrument.ReportProgress(noContext, 0, 0, instrument.WithUnit("")) },
	"WithSpeed":            func() { instrument.ReportProgress(noContext, 0, 0, instrument.WithSpeed(0)) },
	"TrackProcess":         func() { instrument.TrackProcess(noContext)() },
	"StartProcess":         func() { p, _ := instrument.StartProcess(noContext, nil); _ = p.Wait() },
	"ErrorType":            func() { instrument.ErrorType(nil) },
	"Dollars":              func() { instrument.Dollars(0) },
	"DenyUnpriced":         func() { _ = instrument.DenyUnpriced() },
	"ReserveUnpriced":      func() { _ = instrument.ReserveUnpriced(0) },
	"AllowUnpriced":        func() { _ = instrument.AllowUnpriced() },

	"WithMeterProvider":   func() { _, _ = instrument.New(instrument.WithMeterProvider(nil)) },
	"WithTracerProvider":  func() { _, _ = instrument.New(instrument.WithTracerProvider(nil)) },
	"WithPropagators":     func() { _, _ = instrument.New(instrument.WithPropagators(nil)) },
	"WithStages":          func() { _, _ = instrument.New(instrument.WithStages()) },
	"WithAPIs":            func() { _, _ = instrument.New(instrument.WithAPIs()) },
	"WithLabels":          func() { _, _ = instrument.New(instrument.WithLabels()) },
	"WithNameLimit":       func() { _, _ = instrument.New(instrument.WithNameLimit(0)) },
	"WithLiveJobLimit":    func() { _, _ = instrument.New(instrument.WithLiveJobLimit(0)) },
	"WithJobIDLabel":      func() { _, _ = instrument.New(instrument.WithJobIDLabel()) },
	"WithModelLabel":      func() { _, _ = instrument.New(instrument.WithModelLabel()) },
	"WithEvents":          func() { _, _ = instrument.New(instrument.WithEvents(instrument.Events{})) },
	"WithDetails":         func() { _, _ = instrument.New(instrument.WithDetails()) },
	"WithStageTimes":      func() { _, _ = instrument.New(instrument.WithStageTimes(instrument.StageTimes{})) },
	"WithHistory":         func() { _, _ = instrument.New(instrument.WithHistory(0)) },
	"WithRecover":         func() { _, _ = instrument.New(instrument.WithRecover()) },
	"WithErrorClassifier": func() { _, _ = instrument.New(instrument.WithErrorClassifier(nil)) },
	"WithUnpricedPolicy":  func() { _, _ = instrument.New(instrument.WithUnpricedPolicy(instrument.UnpricedPolicy{})) },
	"WithOutcome":         func() { _, _ = instrument.New(instrument.WithOutcome(nil)) },
	"WithLedger":          func() { _, _ = instrument.New(instrument.WithLedger(nil)) },
	"WithLedgerPolicy":    func() { _, _ = instrument.New(instrument.WithLedgerPolicy(instrument.LedgerPolicy{})) },
	"WithLedgerTimeout":   func() { _, _ = instrument.New(instrument.WithLedgerTimeout(0, 0)) },
	"LedgerOpen":          func() { _, _ = instrument.New(instrument.WithLedgerPolicy(instrument.LedgerOpen())) },
	"LedgerLease":         func() { _, _ = instrument.New(instrument.WithLedgerPolicy(instrument.LedgerLease(0))) },
	"LedgerClosed":        func() { _, _ = instrument.New(instrument.WithLedgerPolicy(instrument.LedgerClosed())) },

	"WithBudget":        startJob(instrument.WithBudget(0)),
	"WithAccount":       startJob(instrument.WithAccount("")),
	"WithScopes":        startJob(instrument.WithScopes(budget.Scope{})),
	"WithCarrier":       startJob(instrument.WithCarrier(nil)),
	"WithRemoteParent":  startJob(instrument.WithRemoteParent()),
	"WithAttempt":       startJob(instrument.WithAttempt(0, 0)),
	"WithScheduledAt":   startJob(instrument.WithScheduledAt(time.Time{})),
	"WithVideoDuration": startJob(instrument.WithVideoDuration(0)),
	"WithJobType":       startJob(instrument.WithJobType("")),
	"WithLabel":         startJob(instrument.WithLabel("", "")),
	"WithMaxCost":       startCall(instrument.WithMaxCost(0)),
	"WithMinCost":       startCall(instrument.WithMinCost(0)),
	"WithLease":         startCall(instrument.WithLease(0)),
	"Free":              startCall(instrument.Free()),
	"WithUnknownCost":   startCall(instrument.WithUnknownCost("")),
}

var noContext context.Context

func startJob(opts ...instrument.JobOption) func() {
	return func() {
		_, job := instrument.Default().StartJob(noContext, "", append(opts, nil)...)
		job.End(nil)
	}
}

func startCall(opts ...instrument.CallOption) func() {
	return func() {
		_, call, _ := instrument.StartCall(noContext, "", append(opts, nil)...)
		call.End(nil)
	}
}

func TestFunctionsWithZeroArguments(t *testing.T) {
	t.Cleanup(instrument.SetDefault(nil))
	for name, call := range functions {
		t.Run(name, func(t *testing.T) {
			if panicked := recovered(call); panicked != nil {
				t.Errorf("panicked with %v", panicked)
			}
		})
	}
}

// The lists above are complete: a new function that is missing there fails here.
func TestNothingExportedIsMissingHere(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	types := make(map[string]bool)
	for _, receiver := range receivers {
		types[reflect.TypeOf(receiver).Elem().Name()] = true
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() {
				continue
			}
			if f.Recv == nil {
				if functions[f.Name.Name] == nil {
					t.Errorf("%s is not in functions", f.Name.Name)
				}
				continue
			}
			if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				if name, ok := star.X.(*ast.Ident); ok && name.IsExported() && !types[name.Name] {
					t.Errorf("*%s, which has %s, is not in receivers", name.Name, f.Name.Name)
				}
			}
		}
	}
}

// Inert means unmeasured, not undone.
func TestWithoutAPipelineTheWorkIsDone(t *testing.T) {
	for name, p := range map[string]*instrument.Pipeline{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			ran := 0
			count := func(context.Context, int) (int, error) { ran++; return ran, errDecoder }
			ctx := instrument.ContextWithPipeline(t.Context(), p)
			bound := func(ctx context.Context) (int, error) { return count(ctx, 0) }
			if err := p.RunJob(ctx, "job-1", func(ctx context.Context) error { _, err := count(ctx, 0); return err },
				instrument.WithBudget(0)); err != errDecoder {
				t.Errorf("RunJob = %v", err)
			}
			if n, err := instrument.RunStageValue(ctx, "s", bound); n != 2 || err != errDecoder {
				t.Errorf("RunStage = %v, %v", n, err)
			}
			if n, err := instrument.RunCallValue(ctx, "a", nil, bound); n != 3 || err != errDecoder {
				t.Errorf("RunCall = %v, %v", n, err)
			}
			if n, err := instrument.WrapJob(nil, count)(ctx, 0); n != 4 || err != errDecoder {
				t.Errorf("WrapJob = %v, %v", n, err)
			}
			if v := recovered(func() {
				_ = p.RunJob(ctx, "job-1", func(context.Context) error { panic("boom") })
			}); v != "boom" {
				t.Errorf("recovered %v, want boom", v)
			}
			p.Enqueue(ctx, "job-1", propagation.MapCarrier{})
			if unregister, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
				return instrument.PoolStats{}
			}); err == nil || unregister == nil {
				t.Error("ObservePool gives no error, or nothing to call")
			}
			if err := p.Close(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}
