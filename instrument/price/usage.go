package price

import (
	"math"
	"time"
)

// Usage is what one call has used. Its zero value, with Provider and Model, is a call that used
// nothing. A Usage is a value: a copy is independent, but for Multipliers.
type Usage struct {
	// Provider is the provider's name as OpenTelemetry has it (gen_ai.provider.name), such as
	// "openai" or "gcp.gemini".
	Provider string
	// Model is the model's name as the provider's answer has it, or else as the request has it.
	Model string
	// Tier is the service tier, such as "flex" or "batch". "", "default", "standard" and "auto" are
	// the ordinary one.
	Tier string
	// Region is where the call was served, if prices differ. A row without a region is for all.
	Region string
	// Variant tells prices of one model apart that go by what is made, such as "1024x1024/hd" of an
	// image. A row without a variant is for all.
	Variant string
	// Multipliers are named factors that apply to the whole call, such as "speed:fast".
	Multipliers []string
	// At is when the call was made. The zero time is now.
	At time.Time

	n    [units]int64
	used uint32 // a bit for each unit that was given
	bad  bool
}

// Add adds n to what the call has used of a unit. A time is in nanoseconds, so that a
// time.Duration converts. Sums beyond the range stay at its end. After a negative n the usage has no
// price: [Table.Cost] gives an [UnknownError] with the reason "usage".
func (u *Usage) Add(unit Unit, n int64) {
	if int(unit) >= units || n < 0 {
		u.bad = true
		return
	}
	u.used |= 1 << unit
	if u.n[unit] > math.MaxInt64-n {
		u.n[unit] = math.MaxInt64
		return
	}
	u.n[unit] += n
}

// Of returns how much the call has used of a unit.
func (u *Usage) Of(unit Unit) int64 {
	if int(unit) >= units {
		return 0
	}
	return u.n[unit]
}

// Given reports whether [Usage.Add] was called for the unit, also with 0.
func (u *Usage) Given(unit Unit) bool { return int(unit) < units && u.used&(1<<unit) != 0 }

// None reports whether [Usage.Add] was not called.
func (u *Usage) None() bool { return u.used == 0 && !u.bad }

// InputTokens returns all tokens of the request: of every modality, cached or not.
func (u *Usage) InputTokens() (n int64) {
	for unit := range Unit(units) {
		if unit.isInput() {
			n = add(n, u.n[unit])
		}
	}
	return n
}

// OutputTokens returns all tokens of the answer, of every modality.
func (u *Usage) OutputTokens() (n int64) {
	for unit := Output; unit <= OutputVideo; unit++ {
		n = add(n, u.n[unit])
	}
	return n
}

func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
