package main

import "syscall"

// endWithParent has the kernel end the program with this one, were this one killed: it then ends nothing itself.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
