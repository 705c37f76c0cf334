package aihttp

import (
	"fmt"
	"testing"
	"time"
)

// The jobs that are remembered are bounded, and those that are asked about stay.
func TestJobsAreBounded(t *testing.T) {
	var s jobs
	now := time.Now()
	asked := &entry{key: "asked", over: true}
	s.begin(asked, now)
	for i := range 3 * maxJobs {
		s.begin(&entry{key: fmt.Sprint(i), over: true}, now)
		if _, first := s.end("asked", now); first {
			t.Fatalf("forgotten after %d others", i)
		}
	}
	if len(s.known) != maxJobs || s.over.Len() != maxJobs {
		t.Errorf("%d and %d are remembered, want %d", len(s.known), s.over.Len(), maxJobs)
	}
	if _, first := s.end("0", now); !first {
		t.Error("the first of the others is not forgotten")
	}
}

func TestAnIDThatIsTooLongIsNone(t *testing.T) {
	x := new(exchange)
	if x.is(string(make([]byte, maxJobID+1)), jobDone); x.job.id != "" {
		t.Error("it is kept")
	}
}
