//go:build !unix

package main

// lock does nothing on this system. The user must not run two editors in one output folder.
func lock(string) (unlock func() error, err error) { return func() error { return nil }, nil }
