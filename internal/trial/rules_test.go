package trial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
)

// A kind is what the books know of an error: not its text, but what its author meant by it.
type kind struct {
	word   string // its error_type
	row    int    // of the table of ErrorType; the least of joined errors holds
	own    bool   // a type of its own
	signal bool   // no type of its own once the context is over
	says   string // the outcome that it says itself
	free   bool   // a call that fails with it was surely not charged
	answer bool   // somebody answered
}

// A failure is an error, the errors that it was joined from, and what it wraps.
type failure struct {
	err   error
	kinds []kind
	parts []error // itself and all that it wraps
}

func (f failure) failed() bool { return f.err != nil }

// free reports whether every error that was joined says that a call was not charged.
func (f failure) free() bool {
	return !slices.ContainsFunc(f.kinds, func(k kind) bool { return !k.free })
}

func (f failure) answer() bool {
	return slices.ContainsFunc(f.kinds, func(k kind) bool { return k.answer })
}

// says returns what an error says itself of the outcome: of joined errors the gravest holds.
func (f failure) says() string {
	for _, word := range outcomes {
		if slices.ContainsFunc(f.kinds, func(k kind) bool { return k.says == word }) {
			return word
		}
	}
	return ""
}

// word returns the error_type and whether it is a type of its own, which beats a context that is over.
// A cancellation that is joined with something else is not the type of the whole.
func (f failure) word(over error) (word string, own bool) {
	candidates := f.kinds
	if over != nil {
		whole := len(f.kinds) == len(only(f.kinds, func(k kind) bool { return k.word == "canceled" }))
		if owned := only(candidates, func(k kind) bool { return k.own && !k.signal && (whole || k.word != "canceled") }); len(owned) > 0 {
			candidates = owned
		} else if !whole {
			return "", false
		}
	}
	if others := only(candidates, func(k kind) bool { return k.word != "canceled" }); len(others) > 0 {
		candidates = others
	}
	least := slices.MinFunc(candidates, func(a, b kind) int { return a.row - b.row })
	return least.word, least.own && !(least.signal && over != nil)
}

func only(kinds []kind, keep func(kind) bool) []kind {
	var kept []kind
	for _, k := range kinds {
		if keep(k) {
			kept = append(kept, k)
		}
	}
	return kept
}

type (
	worded string // an error with an ErrorType
	saying string // an error with a JobOutcome
	status int    // an error of an HTTP client
	code   uint32 // an error of gRPC
	state  string // an error of SQL
)

func (e worded) Error() string     { return "worded" }
func (e worded) ErrorType() string { return string(e) }

func (e saying) Error() string      { return "saying " + string(e) }
func (e saying) JobOutcome() string { return string(e) }
func (e saying) ErrorType() string  { return "saying" }

func (e status) Error() string   { return "status" }
func (e status) StatusCode() int { return int(e) }

func (e code) Error() string         { return "code" }
func (e code) GRPCStatus() *rpcState { return &rpcState{rpcCode(e)} }

type (
	rpcCode  uint32
	rpcState struct{ code rpcCode }
)

func (s *rpcState) Code() rpcCode { return s.code }

func (e state) Error() string    { return "state" }
func (e state) SQLState() string { return string(e) }

var errSentinel = errors.New("sentinel")

// kinds lists errors that a program may meet.
var kinds = []struct {
	make func() error
	kind
}{
	{func() error { return errors.New("plain") }, kind{word: "error", row: 99}},
	{func() error { return errSentinel }, kind{word: "error", row: 99}},
	{func() error { return worded("codec_broken") }, kind{word: "codec_broken", row: 1, own: true}},
	{func() error { return worded("canceled") }, kind{word: "canceled", row: 1, own: true}},
	{func() error { return code(1) }, kind{word: "canceled", row: 2, own: true}},
	{func() error { return code(4) }, kind{word: "timeout", row: 2, own: true}},
	{func() error { return code(5) }, kind{word: "grpc_not_found", row: 2, own: true, free: true}},
	{func() error { return code(8) }, kind{word: "grpc_resource_exhausted", row: 2, own: true, free: true}},
	{func() error { return code(14) }, kind{word: "grpc_unavailable", row: 2, own: true, answer: true}},
	{func() error { return context.Canceled }, kind{word: "canceled", row: 3}},
	{func() error { return context.DeadlineExceeded }, kind{word: "timeout", row: 3}},
	{func() error { return &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist} }, kind{word: "not_found", row: 4, free: true}},
	{func() error { return status(404) }, kind{word: "http_404", row: 5, own: true, free: true}},
	{func() error { return status(429) }, kind{word: "http_429", row: 5, own: true, free: true}},
	{func() error { return status(408) }, kind{word: "http_408", row: 5, own: true, answer: true}},
	{func() error { return status(500) }, kind{word: "http_500", row: 5, own: true, answer: true}},
	{func() error { return state("57014") }, kind{word: "sqlstate_57", row: 7, own: true, signal: true}},
	{func() error { return state("23505") }, kind{word: "sqlstate_23", row: 7, own: true}},
	{func() error { return &net.DNSError{Name: "x"} }, kind{word: "net_dns", row: 10, free: true}},
}

// outcomes lists errors that say themselves how an attempt ends, the gravest first.
var outcomes = []string{"failed", "retried", "canceled", "interrupted", "snoozed", "completed"}

func single(err error, k kind) failure {
	return failure{err: err, kinds: []kind{k}, parts: []error{err}}
}

func say(word string) failure {
	return single(saying(word), kind{word: "saying", row: 1, own: true, says: word})
}

func wrap(f failure) failure {
	err := fmt.Errorf("wrapped: %w", f.err)
	return failure{err: err, kinds: f.kinds, parts: append([]error{err}, f.parts...)}
}

func join(a, b failure) failure {
	err := errors.Join(a.err, b.err)
	return failure{err, slices.Concat(a.kinds, b.kinds), slices.Concat([]error{err}, a.parts, b.parts)}
}

// An ending is how something ended, by the table of the outcomes.
type ending struct{ attempt, status, errorType string }

func (e ending) isError() bool { return e.attempt == "failed" || e.attempt == "retried" }

// end applies the table. over is the error of the context, more whether more attempts are to come.
func end(over error, f failure, more bool) ending {
	if !f.failed() {
		return ending{"completed", "completed", ""}
	}
	word, own := f.word(over)
	canceled := over == context.Canceled && !own || own && word == "canceled"
	switch {
	case over == nil && !own && word == "canceled":
		word = "aborted"
	case over != nil && !own:
		word = "timeout"
	}
	switch says := f.says(); {
	case says == "failed":
		return ending{"failed", "failed", word}
	case says == "retried":
		return ending{"retried", "", word}
	case says == "canceled":
		return ending{"canceled", "canceled", "canceled"}
	case says == "completed":
		return ending{"completed", "completed", ""}
	case says != "":
		return ending{says, "", ""}
	case canceled:
		return ending{"canceled", "canceled", "canceled"}
	case more:
		return ending{"retried", "", word}
	}
	return ending{"failed", "failed", word}
}

// countedIn reports whether one of the parts of f was counted before.
func (f failure) countedIn(counted []error) bool {
	return slices.ContainsFunc(f.parts, func(e error) bool { return slices.Contains(counted, e) })
}
