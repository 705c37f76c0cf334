// Package schemas checks the files of docs that a cluster or a container engine reads, against the types and schemas of
// those who read them: Kubernetes, the Prometheus Operator, Kustomize and Compose. It has tests and their helpers only.
//
// It is a module of its own, outside of go.work: what it needs is large, and nothing else needs it.
//
//	GOWORK=off go test -C e2e/schemas ./...
package schemas
