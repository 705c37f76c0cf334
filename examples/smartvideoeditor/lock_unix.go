//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// lock keeps other editors out of the output folder until unlock. A program that is killed leaves no lock behind.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another smartvideoeditor is at work in this folder: wait for it, or choose another -out")
		}
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
