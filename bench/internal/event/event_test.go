package event

import "testing"

// What is timed is the same telemetry: see check.
func TestRivalsMeasureTheSame(t *testing.T) {
	for _, sc := range []scenario{stage, call, job} {
		t.Run(sc.name, func(t *testing.T) {
			if err := sc.check(); err != nil {
				t.Error(err)
			}
		})
	}
}
