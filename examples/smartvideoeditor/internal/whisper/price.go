package whisper

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// The limits of the service: the editor sends nothing beyond them.
const (
	// MinLength is the shortest recording that the service takes.
	MinLength = 100 * time.Millisecond
	// MaxBytes is the largest file. The service says 25 MB, and counts the rest of the form too, so
	// this is the smaller reading of MB.
	MaxBytes = 25_000_000
)

// perMinute is the published price of the model.
var perMinute = money.PerMinute(6 * money.Cent / 10)

// Price returns the price of a recording of the given length. The service bills begun seconds.
func Price(length time.Duration) money.USD { return perMinute.Of(BegunSeconds(length)) }

// BegunSeconds rounds a length up to whole seconds.
func BegunSeconds(length time.Duration) time.Duration {
	whole := length.Truncate(time.Second)
	if whole < length {
		whole += time.Second
	}
	return whole
}
