//go:build unix && !linux

package main

import "syscall"

// endWithParent is Linux's alone.
func endWithParent(*syscall.SysProcAttr) {}
