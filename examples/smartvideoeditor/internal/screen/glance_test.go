package screen

import (
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// Before an earlier run tells how long the stages to come take, the stage under way says how long it
// takes itself.
func TestLeftOfTheStage(t *testing.T) {
	estimate := func(left time.Duration) *instrument.Estimate {
		return &instrument.Estimate{Fraction: 0.4, Left: left, Least: left, Most: left}
	}
	for _, tt := range []struct {
		reason     string
		job, stage *instrument.Estimate
		want       string
	}{
		{"the job tells", estimate(time.Minute), estimate(20 * time.Second), "≈ 60 s"},
		{"only the stage tells", nil, estimate(20 * time.Second), "stage ≈ 20 s"},
		{"the job tells its share only", estimate(-1), estimate(20 * time.Second), "stage ≈ 20 s"},
		{"nothing tells", estimate(-1), estimate(-1), ""},
		{"nothing is known", nil, nil, ""},
	} {
		j := instrument.JobState{Estimate: tt.job, Stages: []instrument.StageState{
			{Name: "analysis", Estimate: estimate(time.Hour), End: time.Now()},
			{Name: "rendering", Estimate: tt.stage},
		}}
		g := glanceOf(&j, time.Now())
		if g.left != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, g.left, tt.want)
		}
		if (g.left == "") != (g.basis == "") {
			t.Errorf("%s: %q rests on %q", tt.reason, g.left, g.basis)
		}
	}
}
