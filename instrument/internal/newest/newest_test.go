package newest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	limit = 3
	most  = 5
)

// texts returns what a list shows.
func texts(l *List[string]) string {
	list, more := l.Newest(limit)
	var all []string
	for _, e := range list {
		all = append(all, *e)
	}
	return fmt.Sprintf("%q and %d more", all, more)
}

func start(l *List[string], text string) Place {
	at, e := l.Start(limit, most)
	if e != nil {
		*e = text
	}
	return at
}

func want(t *testing.T, l *List[string], text string) {
	t.Helper()
	if got := texts(l); got != text {
		t.Errorf("%s, want %s", got, text)
	}
}

// The entry that ended first makes room, however early it started, and none that is under way.
func TestWhatEndedFirstMakesRoom(t *testing.T) {
	var l List[string]
	want(t, &l, `[] and 0 more`)
	a, b, c := start(&l, "a"), start(&l, "b"), start(&l, "c")
	l.End(c)
	l.End(a)
	want(t, &l, `["a" "b" "c"] and 0 more`)
	if d := start(&l, "d"); d != c {
		t.Errorf("d has place %d, want %d of c, which ended first", d, c)
	}
	want(t, &l, `["a" "b" "d"] and 1 more`)
	if e := start(&l, "e"); e != a {
		t.Errorf("e has place %d, want %d of a", e, a)
	}
	want(t, &l, `["b" "d" "e"] and 2 more`)
	l.End(b)
	start(&l, "f")
	want(t, &l, `["d" "e" "f"] and 3 more`)
}

// Entries under way are more than the limit if need be; beyond the most they are only counted.
func TestManyUnderWay(t *testing.T) {
	var l List[string]
	var places []Place
	for i := range 7 {
		places = append(places, start(&l, fmt.Sprint(i)))
	}
	if got := fmt.Sprint(places); got != "[1 2 3 4 5 0 0]" {
		t.Errorf("places %s", got)
	}
	want(t, &l, `["0" "1" "2" "3" "4"] and 2 more`)
	for _, at := range places[:5] {
		l.End(at)
	}
	want(t, &l, `["2" "3" "4"] and 4 more`)
	start(&l, "new")
	want(t, &l, `["3" "4" "new"] and 5 more`)
}

// A dropped entry leaves no trace, and its place is the next that is used.
func TestDroppedPlaceIsUsedAgain(t *testing.T) {
	var l List[string]
	a, b, c := start(&l, "a"), start(&l, "b"), start(&l, "c")
	l.End(a)
	l.Drop(b)
	want(t, &l, `["a" "c"] and 0 more`)
	if d := start(&l, "d"); d != b {
		t.Errorf("d has place %d, want %d, which is free", d, b)
	}
	want(t, &l, `["a" "c" "d"] and 0 more`)
	if e := start(&l, "e"); e != a {
		t.Errorf("e has place %d, want %d of a, which has ended", e, a)
	}
	want(t, &l, `["c" "d" "e"] and 1 more`)
	l.Drop(c)
	l.End(start(&l, "f")) // where c was
	want(t, &l, `["d" "e" "f"] and 1 more`)
	for range 2 {
		start(&l, "under way")
	}
	if at := start(&l, "counted"); at == 0 {
		t.Error("there are only four under way")
	}
	only := start(&l, "only counted")
	if only != 0 {
		t.Errorf("place %d, want none", only)
	}
	_, more := l.Newest(limit)
	l.Drop(only)
	if _, now := l.Newest(limit); now != more-1 {
		t.Errorf("%d more, want %d after one of them was none", now, more-1)
	}
}

// An entry takes no memory once there is room for as many as may be kept.
func TestAllocations(t *testing.T) {
	var l List[string]
	for range limit {
		l.End(start(&l, "warm"))
	}
	if n := testing.AllocsPerRun(100, func() { l.End(start(&l, "x")); l.Drop(start(&l, "y")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// model is a List in a simple way.
type model struct {
	all            []*entry // that are kept, in the order of their starts
	n, ends, drops int      // so far
}

type entry struct {
	id, at Place
	ended  int // in the order of the ends, from 1; 0: under way
}

// start starts an entry, if need be at one of the places that are free, and reports whether it fits.
func (m *model) start(id Place, free int) (fits bool) {
	m.n++
	if free == 0 && len(m.all) >= limit {
		first := -1
		for i, e := range m.all {
			if e.ended > 0 && (first < 0 || e.ended < m.all[first].ended) {
				first = i
			}
		}
		switch {
		case first >= 0:
			m.all = slices.Delete(m.all, first, first+1)
		case len(m.all) >= most:
			return false
		}
	}
	m.all = append(m.all, &entry{id: id})
	return true
}

// newest returns the ids that a List shows.
func (m *model) newest() (ids []Place, more int) {
	drop := len(m.all) - limit
	for _, e := range m.all {
		if drop > 0 && e.ended > 0 {
			drop--
			continue
		}
		ids = append(ids, e.id)
	}
	return ids, m.n - m.drops - len(ids)
}

func FuzzList(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		steps := make([]byte, 100)
		for i := range steps {
			steps[i] = byte(random.Uint32())
		}
		f.Add(steps)
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		var l List[Place]
		var m model
		var underWay []*entry
		free, counted := 0, 0
		for i, step := range steps {
			switch what := step % 3; {
			case what == 0: // start
				id := Place(i + 1)
				at, e := l.Start(limit, most)
				full := len(m.all)+free >= limit
				if fits := m.start(id, free); fits != (e != nil) || fits != (at > 0) {
					t.Fatalf("step %d: place %d, entry %v; the model says %t", i, at, e, fits)
				}
				if e == nil {
					counted++
					continue
				}
				if full && free > 0 {
					free--
				}
				*e = id
				new := m.all[len(m.all)-1]
				new.at = at
				underWay = append(underWay, new)
			case len(underWay) > 0:
				k := int(step/3) % len(underWay)
				old := underWay[k]
				underWay = slices.Delete(underWay, k, k+1)
				if what == 1 {
					m.ends++
					old.ended = m.ends
					if got := *l.End(old.at); got != old.id {
						t.Fatalf("step %d: place %d has entry %d, want %d", i, old.at, got, old.id)
					}
					continue
				}
				l.Drop(old.at)
				m.drops++
				free++
				m.all = slices.DeleteFunc(m.all, func(e *entry) bool { return e == old })
			case what == 2 && counted > 0:
				l.Drop(0)
				m.drops++
				counted--
			}
			list, more := l.Newest(limit)
			var got []Place
			for _, e := range list {
				got = append(got, *e)
			}
			if want, wantMore := m.newest(); !slices.Equal(got, want) || more != wantMore {
				t.Fatalf("step %d: %v and %d more, want %v and %d more", i, got, more, want, wantMore)
			}
			if len(l.slots) > most {
				t.Fatalf("step %d: %d places", i, len(l.slots))
			}
		}
	})
}
