package transport

import (
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/bench/internal/rounds"
)

// What is timed is metered, and what is not to be metered is not.
func TestRequestsAreMetered(t *testing.T) {
	sec, err := Measure(rounds.Settings{Rounds: 1, Turn: time.Millisecond}, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(sec.Tables) != 1 || len(sec.Tables[0].Rows) != 6 || len(sec.Goals) != 6 {
		t.Errorf("%d goals, tables %v", len(sec.Goals), sec.Tables)
	}
}
