package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// Both databases must do the same.
func TestSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), `a folder: it's 100% "odd"?#`)
	conformance(t, func(t *testing.T) *Store { return open(t, path) })
}

func TestPostgres(t *testing.T) {
	url := testserver.Postgres(t)
	conformance(t, func(t *testing.T) *Store { return open(t, url) })
}

func open(t *testing.T, at string) *Store {
	t.Helper()
	s, err := Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func conformance(t *testing.T, open func(*testing.T) *Store) {
	t.Run("an unknown job is the zero checkpoint", func(t *testing.T) {
		if c := load(t, open(t), "nobody"); !reflect.DeepEqual(c, Checkpoint{}) {
			t.Errorf("got %+v", c)
		}
	})

	t.Run("the times of stages", func(t *testing.T) { testStageTimes(t, open) })

	t.Run("a job goes on where another process left it", func(t *testing.T) {
		const id = "resumed"
		first := open(t)
		must(t, first.Begin(t.Context(), id, "in.mp4"))
		must(t, first.SaveStage(t.Context(), id, Stage{"validation", 1500 * time.Millisecond, []byte(`{"a":1}`)}))
		must(t, first.SaveStage(t.Context(), id, Stage{"analysis", time.Second, []byte(`[]`)}))
		must(t, spend(t, first, id, "a", 6*instrument.Cent))
		must(t, spend(t, first, id, "b", money.Nano))

		second := open(t)
		must(t, second.Begin(t.Context(), id, "in.mp4"))
		want := Checkpoint{
			Status: Processing,
			Cost:   6*instrument.Cent + money.Nano,
			Stages: []Stage{{"validation", 1500 * time.Millisecond, []byte(`{"a":1}`)}, {"analysis", time.Second, []byte(`[]`)}},
		}
		if got := load(t, second, id); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		must(t, second.Finish(t.Context(), id, Outcome{Status: Completed, Output: "out.mp4"}))
		if got := load(t, first, id); got.Status != Completed || got.Output != "out.mp4" {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("a stage's time comes back to the nanosecond", func(t *testing.T) {
		s := open(t)
		must(t, s.Begin(t.Context(), "exact", "in"))
		var want []time.Duration
		for _, took := range []time.Duration{0, 1, 1_000_000_001, 4_354_712_393, 75*time.Hour + 7, math.MaxInt64} {
			want = append(want, took)
			must(t, s.SaveStage(t.Context(), "exact", Stage{Name: took.String(), Took: took, Result: []byte("1")}))
		}
		for i, stage := range load(t, s, "exact").Stages {
			if stage.Took != want[i] {
				t.Errorf("%d ns came back as %d", want[i], stage.Took)
			}
		}
	})

	t.Run("a stage that is done again replaces its result", func(t *testing.T) {
		s := open(t)
		must(t, s.Begin(t.Context(), "again", "in"))
		for _, name := range []string{"a", "b", "a"} {
			must(t, s.SaveStage(t.Context(), "again", Stage{Name: name, Result: []byte("1")}))
		}
		if got := names(load(t, s, "again")); got != "b a" {
			t.Errorf("stages are %q, want b before a, which was finished last", got)
		}
	})

	t.Run("a failed job keeps its stages", func(t *testing.T) {
		s := open(t)
		must(t, s.Begin(t.Context(), "failed", "in"))
		must(t, s.SaveStage(t.Context(), "failed", Stage{Name: "a", Result: []byte("1")}))
		must(t, s.Finish(t.Context(), "failed", Outcome{Status: Failed, ErrorType: "timeout", Error: "too late"}))
		if got := load(t, s, "failed"); got.Status != Failed || names(got) != "a" {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("any path and any message can be kept", func(t *testing.T) {
		s := open(t)
		hostile := "\xff\x00'; DROP TABLE jobs; --" + strings.Repeat("x", 10_000)
		must(t, s.Begin(t.Context(), "hostile", hostile))
		must(t, s.Finish(t.Context(), "hostile", Outcome{Status: Failed, ErrorType: "x", Error: hostile, Output: hostile}))
	})

	t.Run("many jobs at once, in several processes", func(t *testing.T) {
		stores := []*Store{open(t), open(t)}
		var wait sync.WaitGroup
		for i := range 20 {
			wait.Go(func() {
				s, id := stores[i%2], fmt.Sprint("many-", i)
				err := s.Begin(t.Context(), id, "in")
				for n := 0; n < 5 && err == nil; n++ {
					if err = s.SaveStage(t.Context(), id, Stage{Name: fmt.Sprint(n), Result: []byte("1")}); err == nil {
						err = spend(t, s, id, fmt.Sprint(n), instrument.Cent)
					}
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		for i := range 20 {
			if c := load(t, stores[0], fmt.Sprint("many-", i)); len(c.Stages) != 5 || c.Cost != 5*instrument.Cent {
				t.Errorf("job %d has %d stages and cost %v", i, len(c.Stages), c.Cost)
			}
		}
	})
}

// Workers that start together set up the same new database.
func TestOpenAtOnce(t *testing.T) {
	for name, at := range map[string]string{
		"sqlite":   filepath.Join(t.TempDir(), "new.db"),
		"postgres": testserver.Postgres(t),
	} {
		t.Run(name, func(t *testing.T) {
			var wait sync.WaitGroup
			for range 8 {
				wait.Go(func() {
					s, err := Open(context.Background(), at)
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
		})
	}
}

func TestOpenFails(t *testing.T) {
	for _, at := range []string{
		filepath.Join(t.TempDir(), "no", "such", "folder.db"),
		"postgres://127.0.0.1:1/nothing-listens?connect_timeout=2",
		"postgres://%zz",
	} {
		if s, err := Open(t.Context(), at); err == nil {
			t.Errorf("Open(%q) gave no error", at)
			_ = s.Close()
		}
	}
}

// spend books a cost of a job, as the pipeline does, and stores it.
func spend(t *testing.T, s *Store, id, hold string, cost instrument.USD) error {
	account, _, err := s.Ledger().Open(t.Context(), budget.Scope{Kind: budget.Job, ID: id, Limit: instrument.Dollar})
	if err != nil {
		return err
	}
	_, err = account.Settle(t.Context(), budget.Hold{ID: hold, Job: id}, cost)
	_, saveErr := s.SaveCost(t.Context(), id)
	return errors.Join(err, saveErr, account.Close(t.Context(), false))
}

func load(t *testing.T, s *Store, id string) Checkpoint {
	t.Helper()
	c, err := s.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func names(c Checkpoint) string {
	var list []string
	for _, s := range c.Stages {
		list = append(list, s.Name)
	}
	return strings.Join(list, " ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// No error shows the password of a URL, also in an unexpected place.
func TestPasswordIsNotShown(t *testing.T) {
	for _, url := range []string{
		"postgres://user:hunter2@host:bad/x", "postgres://user:hunter2%@host/x", "postgres://user:hunter2@ho st:1/x", "postgres://user:hunter2",
		"postgres://user:hunter2@127.0.0.1:1/x?connect_timeout=x", "postgres://user:hunter2@127.0.0.1:1/x?pool_max_conns=x",
		"postgres://127.0.0.1:1/x?password=hunter2&connect_timeout=1", "postgres://user:hunter2@127.0.0.1:1/x?sslmode=hunter2",
	} {
		if _, err := Open(t.Context(), url); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
