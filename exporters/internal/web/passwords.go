package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// passwords checks passwords, one at a time since each takes long, and remembers the right ones. It
// forgets wrong ones, so that a flood of them does not make the right ones wait again. It is safe for
// concurrent use.
type passwords struct {
	places chan struct{} // holds a value for each check that waits or is under way
	turn   chan struct{} // holds a value during a check

	mu    sync.Mutex
	right map[[sha256.Size]byte]bool
}

func newPasswords() *passwords {
	return &passwords{places: make(chan struct{}, maxChecks), turn: make(chan struct{}, 1), right: make(map[[sha256.Size]byte]bool)}
}

const (
	maxRight  = 100 // right passwords that are remembered
	maxChecks = 64  // that wait or are under way: a few seconds of work, and bounded memory
)

// errBusy is the error for a password that was not checked because too many others are.
var errBusy = errors.New("too many passwords are being checked, try again later")

// fakeHash is that of an unknown user: without it, the answer would come so early that it tells.
const fakeHash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"

// check reports whether a user is known and has a password. It stops waiting when ctx is done. It
// returns errBusy at once if maxChecks others are waiting.
func (p *passwords) check(ctx context.Context, user, hash, password string, known bool) (bool, error) {
	if !known {
		hash = fakeHash
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", user, hash, password))
	p.mu.Lock()
	right := p.right[key]
	p.mu.Unlock()
	if right {
		return true, nil
	}
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	default:
		return false, errBusy
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return false, nil
	}
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil || !known {
		return false, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.right) >= maxRight {
		clear(p.right)
	}
	p.right[key] = true
	return true, nil
}
