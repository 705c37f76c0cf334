package spare_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/internal/spare"
)

func TestSomeOutliveACollection(t *testing.T) {
	var l spare.List[int]
	if l.Get() != nil {
		t.Fatal("an empty list has something")
	}
	for i := range 100 {
		l.Put(&i)
	}
	for range 3 {
		runtime.GC()
	}
	seen := make(map[*int]bool)
	for v := l.Get(); v != nil; v = l.Get() {
		if seen[v] {
			t.Fatal("one thing was given twice")
		}
		seen[v] = true
	}
	if len(seen) != 16 {
		t.Errorf("%d are left, want 16", len(seen))
	}
}

func TestNoTwoHaveTheSame(t *testing.T) {
	var l spare.List[int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				var mine [5]*int
				for i := range mine {
					if mine[i] = l.Get(); mine[i] == nil {
						mine[i] = new(int)
					}
					*mine[i]++
				}
				for _, v := range mine {
					if *v--; *v != 0 {
						t.Error("two had it at the same time")
					}
					l.Put(v)
				}
			}
		})
	}
	wg.Wait()
}
