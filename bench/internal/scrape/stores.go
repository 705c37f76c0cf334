package scrape

import (
	"errors"
	"fmt"
	"math"

	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// stores are the rivals, filled with one workload.
type stores struct {
	workload workload.Workload
	of       map[string]workload.Store
	turns    map[string]int // how often each was touched
}

func open(c workload.Workload, traced bool) (*stores, error) {
	s := &stores{workload: c, of: make(map[string]workload.Store), turns: make(map[string]int)}
	for _, name := range workload.Names {
		store, err := workload.Open(name, c, traced)
		if err != nil {
			return s, err
		}
		s.of[name] = store
	}
	return s, nil
}

func (s *stores) close() {
	for _, store := range s.of {
		_ = store.Close() // nothing is pushed, nothing is served
	}
}

// touch changes a tenth of the series of one rival.
func (s *stores) touch(name string) {
	s.workload.Touch(s.of[name], s.turns[name])
	s.turns[name]++
}

// level touches the rivals until all were touched as often, so that they hold the same again.
func (s *stores) level() {
	most := 0
	for _, n := range s.turns {
		most = max(most, n)
	}
	for _, name := range workload.Names {
		for s.turns[name] < most {
			s.touch(name)
		}
	}
}

// compare asks all rivals and holds their answers against ours: the same series, with the same values. Which values
// are kept as exemplars is each library's choice, so that of these there must only be some, or none.
func (s *stores) compare(r request, traced bool) (exemplars map[string]int, err error) {
	s.level()
	exemplars = make(map[string]int)
	var ours page.Page
	for _, name := range workload.Names {
		if !r.takes(name) {
			continue
		}
		p, err := page.NewScraper(s.of[name].Handler(), r.format, r.encoding).Page()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		p = p.Prefix(workload.Prefix)
		exemplars[name] = p.Exemplars
		switch want := traced && r.format == page.OpenMetrics; {
		case want && p.Exemplars < s.workload.Series/2:
			return nil, fmt.Errorf("%s: %d exemplars for %d series", name, p.Exemplars, s.workload.Series)
		case !want && p.Exemplars != 0:
			return nil, fmt.Errorf("%s: %d exemplars where nothing was sampled, or none can be shown", name, p.Exemplars)
		}
		if name == workload.Ours {
			ours = p
			if got := p.Series(); got != s.workload.Series {
				return nil, fmt.Errorf("%s: %d series instead of %d", name, got, s.workload.Series)
			}
			continue
		}
		if err := page.Equal(ours, p, false); err != nil {
			return nil, errors.Join(fmt.Errorf("%s and %s differ", workload.Ours, name), err)
		}
	}
	return exemplars, nil
}

// time times one request to each rival, and returns the sizes of the answers too.
func (s *stores) time(settings rounds.Settings, r request) (rounds.Results, map[string]int) {
	sizes := make(map[string]int)
	var rivals []rounds.Rival
	for _, name := range workload.Names {
		if !r.takes(name) {
			continue
		}
		scraper := page.NewScraper(s.of[name].Handler(), r.format, r.encoding)
		rivals = append(rivals, rounds.Rival{
			Name: name,
			Loop: func(n int) {
				for range n {
					sizes[name] = scraper.Scrape()
				}
			},
			Between: func() { s.touch(name) },
		})
	}
	return rounds.Run(settings, rivals...), sizes
}

// alike says, as an error, which answers are not about as long as ours, where they are not compressed. A few series
// about the handlers themselves are in one and not in the other.
func alike(sizes map[string]int, r request) error {
	ours := float64(sizes[workload.Ours])
	for name, size := range sizes {
		if ours > 0 && r.encoding == "identity" && math.Abs(float64(size)/ours-1) > 0.02 {
			return fmt.Errorf("the answer of %s has %d bytes, and that of %s %.0f", name, size, workload.Ours, ours)
		}
	}
	return nil
}
