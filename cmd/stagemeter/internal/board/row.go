package board

import (
	"cmp"
	"slices"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/readable"
)

// A Row is a live job.
type Row struct {
	Job    *feed.Job
	Worker int
	Now    int64 // by the clock of its worker, when that answered last
	Lost   bool  // its worker is lost: this was the last state
	Key    Key
}

// A Key identifies a run, also across restarts of its worker.
type Key struct {
	Worker  int
	Started int64
	Run     feed.Text
}

// The orders of rows.
const (
	ByNeed = "need" // those that need a look, the most urgent first, then the oldest
	ByAge  = "age"  // the oldest first
	ByCost = "cost" // the most expensive first
	ByETA  = "eta"  // the one that ends first
	ByID   = "id"
)

// Orders are all orders, the default first.
var Orders = []string{ByNeed, ByAge, ByCost, ByETA, ByID}

// Rows returns the live jobs that pass a filter, in an order. A job passes if its id, the name of a
// stage or, with several workers, the name of its worker contains the filter, in any case.
func (b *Board) Rows(filter, order string) []Row {
	var rows []Row
	for i := range b.Workers {
		w := &b.Workers[i]
		if w.Snap == nil {
			continue
		}
		all := filter == "" || b.many() && contains(w.Name, filter)
		for k := range w.Snap.Jobs {
			j := &w.Snap.Jobs[k]
			if all || passes(j, filter) {
				rows = append(rows, Row{Job: j, Worker: i, Now: w.Snap.Now, Lost: w.State() == Lost, Key: w.key(i, j.Run)})
			}
		}
	}
	slices.SortStableFunc(rows, func(x, y Row) int {
		return cmp.Or(compare(order, x, y), compare(ByAge, x, y), cmp.Compare(x.Job.ID, y.Job.ID))
	})
	return rows
}

func (w *Worker) key(i int, run feed.Text) Key { return Key{i, w.Snap.Service.Started, run} }

func passes(j *feed.Job, filter string) bool {
	return contains(string(j.ID), filter) ||
		slices.ContainsFunc(j.Stages, func(s feed.Stage) bool { return contains(string(s.Name), filter) })
}

func compare(order string, x, y Row) int {
	switch order {
	case ByNeed:
		return cmp.Compare(need(y.Job), need(x.Job))
	case ByCost:
		return unknownLast(paid(x.Job), paid(y.Job), func(x, y feed.Amount) int { return cmp.Compare(y, x) })
	case ByETA:
		return unknownLast(x.Job.ETA, y.Job.ETA, func(x, y feed.ETA) int { return cmp.Compare(x.Left, y.Left) })
	case ByID:
		return cmp.Compare(x.Job.ID, y.Job.ID)
	default: // ages, as clocks of workers may differ
		return cmp.Compare(y.Now-y.Job.Start, x.Now-x.Job.Start)
	}
}

func unknownLast[E any](x, y *E, compare func(x, y E) int) int {
	switch {
	case x != nil && y != nil:
		return compare(*x, *y)
	case x != nil:
		return -1
	case y != nil:
		return 1
	default:
		return 0
	}
}

// nearly is the share of a budget beyond which it counts as nearly spent.
const nearly = 0.8

// need returns how urgently a job needs a look: 0 is not at all.
func need(j *feed.Job) int {
	switch {
	case j.Stalled != 0:
		return 4
	case j.Overdue != 0:
		return 3
	case over(j):
		return 2
	case near(j):
		return 1
	default:
		return 0
	}
}

func over(j *feed.Job) bool { return j.Budget != nil && j.Budget.Spent > j.Budget.Limit }

func near(j *feed.Job) bool {
	return j.Budget != nil && readable.Part(j.Budget.Spent, j.Budget.Limit) > nearly
}

// paid returns what the account of a job has spent, or, without a budget, the job itself; nil if
// that is unknown.
func paid(j *feed.Job) *feed.Amount {
	if j.Budget != nil {
		return &j.Budget.Spent
	}
	return j.Spent
}
