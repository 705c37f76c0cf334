package event

import (
	"github.com/stagemeter/stagemeter/bench/internal/report"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
)

// Stage measures a stage.
func Stage(s rounds.Settings, _ bool) (report.Section, error) { return stage.measure(s) }
