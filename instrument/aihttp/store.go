package aihttp

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/semconv"
)

// Names of what has none, and of all beyond the limit.
const (
	unknownName = "unknown"
	otherName   = "other"
	maxName     = 64 // bytes
)

// store holds what the attempts of one pipeline share. It is bounded: requests and answers choose
// the names of models.
type store struct {
	lent *seam.Pipeline

	mu     sync.RWMutex
	full   bool
	names  map[string]struct{}
	series map[seriesKey]*series
	errors map[errorKey][]metric.RecordOption
	apis   map[string]*api
}

type seriesKey struct{ provider, operation, asked, got string }

type errorKey struct {
	series *series
	word   string
}

func storeOf(lent *seam.Pipeline) *store { return lent.Own(newStore).(*store) }

func newStore(lent *seam.Pipeline) any {
	s := &store{
		lent: lent, names: make(map[string]struct{}), series: make(map[seriesKey]*series),
		errors: make(map[errorKey][]metric.RecordOption), apis: make(map[string]*api),
	}
	lent.OnObserve(s.observe)
	return s
}

// get returns the attributes of attempts by the models that were asked for and that answered. It
// does not allocate for those that it has seen.
func (s *store) get(provider, operation, asked, got string) *series {
	if asked == "" {
		asked = unknownName
	}
	if got == "" {
		got = unknownName
	}
	k := seriesKey{provider, operation, asked, got}
	s.mu.RLock()
	found := s.series[k]
	s.mu.RUnlock()
	if found != nil {
		return found
	}
	k.provider, k.asked, k.got = cleanModel(provider), cleanModel(asked), cleanModel(got)
	found, filled := s.add(k)
	if filled {
		otel.Handle(fmt.Errorf("aihttp: more than %d names of models: %q and all new ones are recorded as %q", s.lent.Limit, k.asked, otherName))
	}
	return found
}

func (s *store) add(k seriesKey) (found *series, filled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.asked, k.got = s.bound(k.asked), s.bound(k.got)
	if found = s.series[k]; found == nil && len(s.series) >= 10*s.lent.Limit {
		k.asked, k.got = otherName, otherName // the rest is a closed set, but for names of the user's own
		if byName[k.provider] == nil {
			k.provider = otherName
		}
		found = s.series[k]
	}
	if found == nil {
		found = newSeries(k)
		s.series[k] = found
	}
	filled = (k.asked == otherName || k.got == otherName) && !s.full
	s.full = s.full || filled
	return found, filled
}

// bound returns a name, or "other" if there are too many.
func (s *store) bound(name string) string {
	if _, ok := s.names[name]; ok || name == unknownName {
		return name
	}
	if len(s.names) >= s.lent.Limit {
		return otherName
	}
	s.names[name] = struct{}{}
	return name
}

// failed returns the attributes of attempts that failed with an error of a type.
func (s *store) failed(of *series, word string) []metric.RecordOption {
	k := errorKey{of, word}
	s.mu.RLock()
	found := s.errors[k]
	s.mu.RUnlock()
	if found != nil {
		return found
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.word = cleanModel(word); len(s.errors) >= 10*s.lent.Limit {
		k.word = otherName
	}
	if found = s.errors[k]; found == nil {
		found = of.with(semconv.AttrErrorType.String(k.word))
		s.errors[k] = found
	}
	return found
}

// cleanModel makes an attribute's value of a model's name.
func cleanModel(name string) string {
	if len(name) > 4*maxName {
		name = name[:4*maxName]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	if name = strings.TrimSpace(name); name == "" {
		return unknownName
	}
	return name
}

// observe observes what is known at a collection.
func (s *store) observe(o metric.Observer) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.apis {
		for kind := range a.remaining {
			if n := a.remaining[kind].Load(); n > 0 {
				o.ObserveInt64(s.lent.Set.APIRatelimitRemaining, n-1, a.kinds[kind])
			}
		}
	}
}
