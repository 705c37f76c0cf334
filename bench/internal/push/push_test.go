package push

import (
	"testing"

	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// What is timed is the same telemetry: both send the same points.
func TestBothSendTheSame(t *testing.T) {
	for _, traced := range []bool{false, true} {
		senders, err := open(workload.New(200), traced)
		defer closeAll(senders)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := compare(senders, traced); err != nil {
			t.Error(err)
		}
		senders[upstream].Record(0, 0, 1)
		if _, err := compare(senders, traced); err == nil {
			t.Error("a count that is one higher was not noticed")
		}
	}
}
