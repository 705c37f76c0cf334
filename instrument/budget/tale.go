package budget

// keptTales is the number of operations of an account whose crossings are remembered. An account
// reaches each threshold once, unless its limit changes.
const keptTales = 64

// A tale has the crossings that an operation was answered with, to tell them again.
type tale struct {
	op      operation
	hold    string
	crossed []Crossing
}

// tales has the operations of an account that have told of a threshold.
type tales []tale

// tell returns all crossings that an operation was ever answered with. Those of now are new.
func (s *tales) tell(op operation, hold string, now []Crossing) []Crossing {
	for i := range *s {
		if t := &(*s)[i]; t.op == op && t.hold == hold {
			t.crossed = append(t.crossed[:len(t.crossed):len(t.crossed)], now...)
			return t.crossed
		}
	}
	if len(now) == 0 {
		return nil
	}
	if len(*s) == keptTales {
		*s = append((*s)[:0], (*s)[1:]...)
	}
	*s = append(*s, tale{op, hold, now})
	return now
}

// An operation is one of those with a hold. To confirm a cost is another than to book it unconfirmed.
type operation uint8

const (
	reserving operation = iota
	settling
	estimating // settling unconfirmed
	releasing
)
