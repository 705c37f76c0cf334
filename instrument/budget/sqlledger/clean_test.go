package sqlledger

import (
	"context"
	"fmt"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// counting counts the requests of each kind, and does nothing.
type counting map[string]int

func (c counting) do(_ context.Context, r request) (answer, error) {
	c[r.Op]++
	return answer{}, nil
}

// Each settle leaves a row for each scope, and each clean deletes a batch of rows.
func TestCleaningKeepsUp(t *testing.T) {
	for scopes := 1; scopes <= 9; scopes++ {
		did := counting{}
		l := &Ledger{store: did}
		list := []budget.Scope{{Kind: budget.Job, ID: "job", Limit: money.Unlimited}}
		for i := range scopes - 1 {
			list = append(list, budget.Scope{Kind: budget.Tenant, ID: fmt.Sprint(i), Limit: money.Unlimited})
		}
		a, _, err := l.Open(t.Context(), list...)
		if err != nil {
			t.Fatal(err)
		}
		if did[cleaning] != 1 {
			t.Errorf("%d scopes: a program that makes one call cleans %d times", scopes, did[cleaning])
		}
		const calls = 10_000
		for range calls {
			if _, err := a.Settle(t.Context(), budget.Hold{ID: "hold"}, 0); err != nil {
				t.Fatal(err)
			}
		}
		if deleted, left := did[cleaning]*cleanBatch, calls*scopes; deleted < left*3/2 {
			t.Errorf("%d scopes: %d cleanings delete %d rows, of %d", scopes, did[cleaning], deleted, left)
		}
	}
}
