//go:build unix && !linux

package testserver

import "syscall"

// endWithParent is Linux's alone.
func endWithParent(*syscall.SysProcAttr) {}
