package screen

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"
)

func TestLines(t *testing.T) {
	var b bytes.Buffer
	s := NewLines(&b)
	work(s, "a-1")
	s.Close()
	s.Printf("after %d", 1)
	const want = `a-1  started
a-1  validation       1.5 s: 24s
a-1  rendering        0.2 s
a-1  completed: out.mp4
after 1
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Jobs come and go at once, and lines are written meanwhile and when all is over: nothing hangs,
// and no line is lost or torn.
func TestBars(t *testing.T) {
	var b safeBuffer
	s := newBars(&b, mpb.WithAutoRefresh()) // draws although this is no terminal
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() { work(s, fmt.Sprintf("job-%d", i)) })
	}
	wait.Wait()
	s.Close()
	s.Printf("after the bars")
	s.Close()
	for i := range 8 {
		for _, line := range []string{"validation       1.5 s: 24s", "rendering        0.2 s", "completed: out.mp4"} {
			if want := fmt.Sprintf("job-%d  %s\n", i, line); !strings.Contains(b.String(), want) {
				t.Errorf("%q is missing in\n%s", want, b.String())
			}
		}
	}
	if !strings.HasSuffix(b.String(), "after the bars\n") {
		t.Errorf("what is written after the bars is lost:\n%s", b.String())
	}
}

func work(s Screen, id string) {
	job := s.Job(id)
	job.Stage("validation", Share{0, 0.5})
	for _, fraction := range []float64{-1, 0, 0.5, 1, 2} {
		job.Progress(fraction)
	}
	job.Finished(1500*time.Millisecond, "24s")
	job.Stage("rendering", Share{0.5, 1})
	job.Finished(200*time.Millisecond, "")
	job.End("completed", "out.mp4")
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
