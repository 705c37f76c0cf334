// Package testserver runs real servers beside a test: Redis, PostgreSQL and, through [Start], any program.
//
// Each listens on a free port of 127.0.0.1, keeps its data in a folder of its own, and ends with the test.
// A server that is not installed fails the test; `make deps` installs what is needed.
package testserver
