package store

import (
	"reflect"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

func testStageTimes(t *testing.T, open func(*testing.T) *Store) {
	first := open(t)
	if got, err := first.StageTimes(t.Context()); err != nil || got != nil {
		t.Errorf("before anything is kept: %v, %v", got, err)
	}
	times := []instrument.StageTimes{
		{Stage: "analysis", Runs: []instrument.StageRun{{Took: 1234567891, Video: time.Minute}, {Took: time.Second}}},
		{Stage: "rendering", Runs: []instrument.StageRun{{Took: time.Hour, Video: 3 * time.Hour}}},
	}
	must(t, first.SaveStageTimes(t.Context(), times[:1]))
	must(t, first.SaveStageTimes(t.Context(), times))
	must(t, first.SaveStageTimes(t.Context(), nil)) // of a program that has run nothing
	second := open(t)
	if got, err := second.StageTimes(t.Context()); err != nil || !reflect.DeepEqual(got, times) {
		t.Errorf("another process finds %v, %v, want %v", got, err, times)
	}
	must(t, second.db.exec(t.Context(), `UPDATE usual SET times = '[{"Stage":1'`))
	if got, err := second.StageTimes(t.Context()); err == nil || got != nil {
		t.Errorf("a broken record gives %v, %v", got, err)
	}
	must(t, second.SaveStageTimes(t.Context(), times))
	if got, err := second.StageTimes(t.Context()); err != nil || len(got) != 2 {
		t.Errorf("a broken record is not replaced: %v, %v", got, err)
	}
}
