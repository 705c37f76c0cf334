// Package sdktest makes paid calls with the vendors' own libraries through package aihttp: what they
// cost, what the libraries decode, how they are refused and tried again, and that nothing is left
// running. It has tests and their helpers only.
//
// It is a module of its own, outside of go.work: the libraries are large, and nothing else needs them.
//
//	GOWORK=off go test -C instrument/aihttp/sdktest ./...
package sdktest
