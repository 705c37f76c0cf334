package testserver

import "syscall"

// endWithParent has the kernel end the program with the test, were the test itself killed or to run into
// `go test -timeout`: no cleanup runs then.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
