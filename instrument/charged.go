package instrument

import (
	"context"
	"net/url"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// mayHaveCost reports whether a failed call may have been charged: unless its request never left
// this machine, or was refused unprocessed. Providers bill what was processed, also when the client
// hung up, and do not bill what they reject or never see.
//
// What an HTTP client has told decides first. Only without it the error does, and whether the
// call's context was over before the call began.
func mayHaveCost(ctx context.Context, o ending, requests sighting, wasOver bool) bool {
	switch requests {
	case oneIsLost: // whatever the last one was answered
		return true
	case someLeft:
		return o.panic() || !errs.Uncharged(o.err, true, nil)
	case noneLeft:
		if _, grpc := errs.GRPCCode(o.err); !grpc || isHTTPClientError(o.err) { // else another request left
			return false
		}
	case notTried:
		if isHTTPClientError(o.err) {
			return false
		}
	}
	switch {
	case o.panic():
		return true
	case wasOver && (errs.Is(o.err, context.Cause(ctx)) || !errs.Answered(o.err)):
		return false
	}
	return !errs.Uncharged(o.err, false, neverMade)
}

// isHTTPClientError reports whether err is of net/http's client.
func isHTTPClientError(err error) bool {
	_, is := errs.As[*url.Error](err)
	return is
}

// neverMade reports whether err itself is one with which this package keeps a call from being made.
func neverMade(err error) bool {
	switch err.(type) {
	case nilFuncError, *budget.Error:
		return true
	}
	return err == budget.ErrExceeded //nolint:errorlint // its wrappers are asked one by one
}
