package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A flood of wrong passwords, which are checked one after the other, does not hold up a user who
// has been there before; nor does it fill the memory.
func TestPasswords(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	p := newPasswords()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	check := func(ctx context.Context, password string) bool {
		right, err := p.check(ctx, "prometheus", string(hash), password, true)
		return right && err == nil
	}
	if check(t.Context(), "wrong") || !check(t.Context(), "secret") || len(p.right) != 1 {
		t.Fatalf("a wrong password is right, or the right one is wrong; %d are remembered", len(p.right))
	}
	p.turn <- struct{}{} // somebody's password is being checked
	if !check(t.Context(), "secret") {
		t.Error("the right password is not remembered")
	}
	if check(gone, "other") {
		t.Error("an unchecked password is right")
	}
	<-p.turn
	if right, err := p.check(t.Context(), "nobody", "", "fakepassword", false); right || err != nil {
		t.Errorf("an unknown user gets in: %v, %v", right, err)
	}
	if right, err := p.check(t.Context(), "prometheus", fakeHash, "secret", true); right || err != nil {
		t.Errorf("the password of before gets in after a change: %v, %v", right, err)
	}
}

// A flood of passwords does not pile up requests: those past a limit are told to try again at once.
func TestTooManyPasswords(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	g := &guard{path: webConfig(t, ca, "", "secret", "")}
	var err error
	if g.good, err = readProtection(g.path); err != nil {
		t.Fatal(err)
	}
	p := g.good.passwords
	p.turn <- struct{}{} // somebody's password is being checked
	ask := func() int {
		rec, req := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		req.SetBasicAuth("prometheus", "secret")
		if g.current().admit(rec, req) {
			return http.StatusOK
		}
		if (rec.Code == http.StatusServiceUnavailable) != (rec.Header().Get("Retry-After") != "") {
			t.Errorf("%d, %v", rec.Code, rec.Header())
		}
		return rec.Code
	}
	codes := make(chan int, maxChecks)
	for range maxChecks {
		go func() { codes <- ask() }()
	}
	exportertest.Eventually(t, "all wait", func() bool { return len(p.places) == maxChecks })
	if code := ask(); code != http.StatusServiceUnavailable {
		t.Errorf("one more: %d, want 503", code)
	}
	<-p.turn
	for range maxChecks {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one that waited: %d", code)
		}
	}
}
