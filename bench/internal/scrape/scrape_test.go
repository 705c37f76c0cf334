package scrape

import (
	"testing"

	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// What is timed is the same telemetry: every rival answers every request with the same series and values.
func TestRivalsAnswerTheSame(t *testing.T) {
	for _, traced := range []bool{false, true} {
		s, err := open(workload.New(200), traced)
		defer s.close()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range requests {
			for _, name := range workload.Names {
				s.touch(name)
			}
			if _, err := s.compare(r, traced); err != nil {
				t.Errorf("%s, %s: %v", holding(traced), r.title, err)
			}
		}
	}
}

// A check that cannot fail would hold nothing.
func TestARivalThatHasMoreIsNoticed(t *testing.T) {
	s, err := open(workload.New(40), false)
	defer s.close()
	if err != nil {
		t.Fatal(err)
	}
	s.of[workload.ClientGolang].Record(0, 0, 1)
	if _, err := s.compare(requests[0], false); err == nil {
		t.Error("a count that is one higher was not noticed")
	}
}
