package price

import "fmt"

// A Reason says why a call has no price. It is one of a closed set, for the attribute reason of
// video_processing_api_unpriced_total.
type Reason string

// Reasons.
const (
	UnknownModel      Reason = "model"      // the table has no row for the model
	UnknownDate       Reason = "date"       // it has, but not for the day of the call
	UnknownTier       Reason = "tier"       // it has, but not for the service tier
	UnknownVariant    Reason = "variant"    // it has, but not for the region or the variant
	UnknownUnit       Reason = "unit"       // the row has no price for something that was used, such as audio
	UnknownMultiplier Reason = "multiplier" // the row has no factor of that name
	UnknownUsage      Reason = "usage"      // nothing is known of what was used, or it is no usage
)

// An UnknownError says that a call has no price, and why.
type UnknownError struct {
	Reason          Reason
	Provider, Model string
	What            string // what the reason is about, such as "input_audio"; may be ""
}

func (e *UnknownError) Error() string {
	s := fmt.Sprintf("price: %.100q of %.50q has no price", e.Model, e.Provider)
	switch e.Reason {
	case UnknownModel:
		return s + ": no row for the model"
	case UnknownDate:
		return s + " on this day"
	case UnknownUsage:
		return s + ": what it used is not known"
	}
	return fmt.Sprintf("%s for %s %.50q", s, e.Reason, e.What)
}
