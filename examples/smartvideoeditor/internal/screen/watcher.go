package screen

import (
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// A watcher passes a snapshot to a function at an interval, from start until end. Its zero value
// has not started.
type watcher struct {
	snapshot func() instrument.Snapshot
	stop     chan struct{}
	once     sync.Once
	done     sync.WaitGroup
}

func (w *watcher) start(snapshot func() instrument.Snapshot, every time.Duration, look func(instrument.Snapshot)) {
	w.snapshot, w.stop = snapshot, make(chan struct{})
	w.done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				look(snapshot())
			case <-w.stop:
				return
			}
		}
	})
}

// at returns what is known about a job now, and false if nothing is.
func (w *watcher) at(id string) (glance, bool) {
	if w.snapshot == nil {
		return glance{share: -1}, false
	}
	return glanceAt(w.snapshot(), id)
}

func (w *watcher) end() {
	if w.stop != nil {
		w.once.Do(func() { close(w.stop) })
	}
	w.done.Wait()
}
