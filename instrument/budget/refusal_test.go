package budget_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A refusal names the budget that refused, and the job that wanted to spend from it.
func TestRefusalNamesTheBudget(t *testing.T) {
	for _, tt := range []struct {
		scope    budget.Scope
		unpriced string
		want     string
	}{
		{scope: budget.Scope{},
			want: `budget exceeded: job "video-1" may spend $0.10, has spent $0.08 and holds $0.00; a call of gpt for at most $0.04 was not made`},
		{scope: budget.Scope{Kind: budget.Job, ID: "video-1"},
			want: `budget exceeded: job "video-1" may spend $0.10, has spent $0.08 and holds $0.00; a call of gpt for at most $0.04 was not made`},
		{scope: budget.Scope{Kind: budget.Job, ID: "order-1"}, // of WithAccount, or of the job around it
			want: `budget exceeded: account "order-1", which job "video-1" spends from, may spend $0.10, has spent $0.08 and holds $0.00; a call of gpt for at most $0.04 was not made`},
		{scope: budget.Scope{Kind: budget.Tenant, ID: "acme"},
			want: `budget exceeded: tenant "acme" of job "video-1" may spend $0.10, has spent $0.08 and holds $0.00; a call of gpt for at most $0.04 was not made`},
		{scope: budget.Scope{Kind: budget.Job, ID: "order-1"}, unpriced: "new_model",
			want: `budget: account "order-1", which job "video-1" spends from, may spend $0.10; a call of gpt was not made, because its price is unknown: new_model`},
	} {
		e := &budget.Error{Scope: tt.scope, Job: "video-1", API: "gpt", Unpriced: tt.unpriced,
			Limit: 10 * money.Cent, Spent: 8 * money.Cent, Asked: 4 * money.Cent}
		if got := e.Error(); got != tt.want {
			t.Errorf("scope %+v:\n%s, want\n%s", tt.scope, got, tt.want)
		}
	}
}

// An id may be the URL of the video. No password or key of it gets into the text, of which logs and
// spans are made.
func TestRefusalHidesSecrets(t *testing.T) {
	const id = "https://user:hunter2@host/film.mp4?X-Amz-Signature=hunter2"
	for _, e := range []*budget.Error{
		{Job: id},
		{Job: id, Unpriced: "new_model"},
		{Job: id, Err: errors.New("it is away")},
		{Job: id, Scope: budget.Scope{Kind: budget.Job, ID: id}},
		{Job: "video-1", Scope: budget.Scope{Kind: budget.Job, ID: id}},
		{Job: id, Scope: budget.Scope{Kind: budget.Tenant, ID: id}},
	} {
		if got := e.Error(); strings.Contains(got, "hunter2") || !strings.Contains(got, "host/film.mp4") {
			t.Errorf("scope %+v: %s", e.Scope, got)
		}
	}
}
