package event

import (
	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
)

// Stage measures a stage.
func Stage(s rounds.Settings, _ bool) (figures.Section, error) { return stage.measure(s) }

// Call measures a paid call.
func Call(s rounds.Settings, _ bool) (figures.Section, error) { return call.measure(s) }

// Job measures a job, and whether its end takes longer the more it has done.
func Job(s rounds.Settings, _ bool) (figures.Section, error) {
	sec, err := job.measure(s)
	if err != nil {
		return sec, err
	}
	return sec, growth(&sec, s)
}

// Writers measures how long a stage takes while everything is scraped.
func Writers(s rounds.Settings, quick bool) (figures.Section, error) { return writers(s, quick) }

// Mounted measures the cost of a live page without clients.
func Mounted(s rounds.Settings, mount Mount) (figures.Section, error) { return mounted(s, mount) }
