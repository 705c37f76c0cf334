package rounds

import (
	"math"
	"testing"
	"time"
)

func TestAQuantileIsAtMostThreePercentTooHigh(t *testing.T) {
	var l Latency
	const n = 100_000
	for i := range n {
		l.Add(time.Duration(i) * 17)
	}
	for _, q := range []float64{0, 0.5, 0.99, 0.999} {
		want := math.Floor(q*n) * 17
		if got := l.Quantile(q); got < want || got > want*1.033+1 {
			t.Errorf("the quantile %v is %v, want %v or 3 %% more", q, got, want)
		}
	}
	if l.Count() != n {
		t.Errorf("there are %d, want %d", l.Count(), n)
	}
}

func TestARatioIsOfTurnsOfOneRound(t *testing.T) {
	// The machine is ten times slower in the second round: both rivals are.
	ours := &Result{Turns: []Turn{{Nanos: 15}, {Nanos: 150}, {Nanos: 15}}}
	rival := &Result{Turns: []Turn{{Nanos: 30}, {Nanos: 300}, {Nanos: 30}}}
	base := &Result{Turns: []Turn{{Nanos: 10}, {Nanos: 100}, {Nanos: 10}}}
	if got := Ratio(ours, rival, nil); got != 0.5 {
		t.Errorf("the ratio is %v, want 0.5", got)
	}
	if got := Ratio(ours, rival, base); got != 0.25 {
		t.Errorf("what they add to the base has the ratio %v, want 0.25", got)
	}
	if got := Ratio(nil, rival, nil); got != 0 {
		t.Errorf("the ratio of one that did not take part is %v, want 0", got)
	}
}

func TestEveryRivalHasATurnInEveryRound(t *testing.T) {
	var order []string
	rival := func(name string) Rival {
		return Rival{Name: name, Loop: func(int) { order = append(order, name) }, Between: func() {}}
	}
	keep := func(name string) bool { return name != "c" }
	results := Run(Settings{Rounds: 4, Keep: keep}, rival("a"), rival("b"), rival("c"))
	if len(results) != 2 || len(results.Of("a").Turns) != 4 || len(results.Of("b").Turns) != 4 || results.Of("c") != nil {
		t.Errorf("the results are %v", results)
	}
	if order := order[2:]; order[0] == order[2] { // after the warm-up
		t.Errorf("the order is the same in each round: %v", order)
	}
}
