package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/price"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/cache"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/editor"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/sample"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/screen"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/speech"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// none is the key of a service that needs none.
const none = "none"

// closeTimeout bounds closing after a signal.
const closeTimeout = 5 * time.Second

// run executes the command line, and reports whether every job completed. The error is one outside
// of the jobs.
func run(ctx context.Context, c config, stdout io.Writer, stderr *os.File) (completed bool, err error) {
	var closers []func() error
	defer func() {
		for i := len(closers) - 1; i >= 0; i-- {
			err = errors.Join(err, closers[i]())
		}
	}()
	closing := func(f func() error) { closers = append(closers, f) }

	view := screen.New(stderr)
	closing(func() error { view.Close(); return nil })
	log := slog.New(slog.NewTextHandler(view, nil))
	slog.SetDefault(log)

	tel := export(ctx, c.listen, log)
	// Shutdown makes a last push, also after a signal. If that fails, it is logged and the program
	// does not fail.
	closing(func() error {
		if err := tel.Shutdown(ctx); err != nil {
			log.Error("telemetry", "error", err)
		}
		return nil
	})
	if err := os.MkdirAll(c.state(), 0o755); err != nil {
		return false, fmt.Errorf("-out %s: %w", c.out, err)
	}
	unlock, err := lock(filepath.Join(c.state(), "lock"))
	if err != nil {
		return false, fmt.Errorf("-out %s: %w", c.out, err)
	}
	closing(unlock)

	checkpoints, err := store.Open(ctx, c.db)
	if err != nil {
		return false, fmt.Errorf("-db: %w", err) // not the value: there may be a password in it
	}
	closing(checkpoints.Close)
	p := measure(ctx, tel, checkpoints, log)
	// Close delivers what the ledger has not taken yet, so it comes before the ledger's database is
	// closed, and before the last push.
	closing(func() error {
		if err := p.Close(ctx); err != nil {
			log.Error("costs that are not in the ledger", "error", err)
		}
		return nil
	})
	served := mount(tel, p, log)
	if served != "" {
		view.Printf("%s", served)
	}
	view.Watch(func() instrument.Snapshot { return p.Snapshot(instrument.Query{}) })
	instrument.SetDefault(p) // for calls outside of any job: making the clip, recognizing speech
	closing(keepForReport(c, p, view))

	e, err := open(ctx, c, p, checkpoints, view, closing)
	if err != nil {
		return false, err
	}
	inputs := c.inputs
	if len(inputs) == 0 {
		path, err := talkingClip(ctx, c.state(), view)
		if err != nil {
			return false, err
		}
		inputs = []string{path}
	}
	tasks, err := editor.Tasks(ctx, inputs, c.jobs, c.out)
	if err != nil {
		return false, err
	}
	jobs := e.Run(ctx, tasks, c.concurrency)
	view.Close()
	_ = report(c, p) // for a program that is killed during hold; the last report returns the error

	err = errors.Join(summary.WriteTable(stdout, jobs), results(c, jobs))
	err = errors.Join(err, hold(ctx, c, served, view, func() error {
		if c.metricsDump == "" {
			return nil
		}
		if err := dump(context.WithoutCancel(ctx), tel, c.metricsDump); err != nil {
			return fmt.Errorf("-metrics-dump %s: %w", c.metricsDump, err)
		}
		return nil
	}))
	return summary.AllCompleted(jobs), err
}

// open makes the editor and everything else that it uses.
func open(ctx context.Context, c config, p *instrument.Pipeline, checkpoints *store.Store, view screen.Screen,
	closing func(func() error)) (*editor.Editor, error) {
	unregister, err := checkpoints.Observe(p)
	if err != nil {
		return nil, err
	}
	closing(func() error { unregister(); return nil })

	var redis *cache.Cache
	if c.redis != "" {
		if redis, err = cache.Open(c.redis); err != nil {
			return nil, fmt.Errorf("-redis: %w", err)
		}
		closing(redis.Close)
		unregister, err := redis.Observe(p)
		if err != nil {
			return nil, err
		}
		closing(func() error { unregister(); return nil })
	}

	prices, err := price.FromEnv()
	if err != nil { // the table has what could be read
		view.Printf("%v", err)
	}
	key := cmp.Or(os.Getenv("OPENAI_API_KEY"), none)
	speechAt, speechKey, chatAt, chatKey := c.speechURL, key, c.chatURL, key
	if speechAt == "" {
		recognizer, err := speech.NewPocketsphinx(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w; or point -speech-url at a service with OpenAI's API", err)
		}
		service, err := speech.Start(recognizer)
		if err != nil {
			return nil, err
		}
		closing(func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
			defer cancel()
			return service.Shutdown(ctx)
		})
		speechAt, speechKey = service.URL(), none // a key is sent only to the service that issued it
		if chatAt == "" {
			chatAt, chatKey = service.URL(), none
		}
	}
	transcriber, err := paid.NewClient(speechAt, speechKey, prices)
	if err != nil {
		return nil, fmt.Errorf("-speech-url: %w", err)
	}
	var describer editor.Describer
	if chatAt != "" {
		if describer, err = paid.NewClient(chatAt, chatKey, prices); err != nil {
			return nil, fmt.Errorf("-chat-url: %w", err)
		}
	}
	return &editor.Editor{
		Pipeline:    p,
		Checkpoints: checkpoints,
		Cache:       redis,
		Transcriber: transcriber,
		Describer:   describer,
		Prices:      prices,
		Screen:      view,
		Out:         c.out,
		State:       c.state(),
		Budget:      c.budget,
		Lease:       c.lease,
	}, nil
}

// talkingClip returns the path of the clip, and makes it the first time.
func talkingClip(ctx context.Context, folder string, view screen.Screen) (string, error) {
	path := filepath.Join(folder, "talking-clip.mp4")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	view.Printf("making the clip to edit; the jobs start after it")
	return path, sample.Make(ctx, path)
}

// results writes the results of the jobs.
func results(c config, jobs []summary.Job) error {
	if c.json == "" {
		return nil
	}
	if err := summary.WriteJSON(c.json, jobs); err != nil {
		return fmt.Errorf("-json %s: %w", c.json, err)
	}
	return nil
}

// hold serves the live page and the metrics for the duration of -hold or until a signal, and says
// where they are served. It dumps the metrics before and after, so a program that is killed in
// between leaves a dump.
func hold(ctx context.Context, c config, served string, view screen.Screen, dump func() error) error {
	if err := dump(); err != nil || c.hold == 0 || ctx.Err() != nil {
		return err
	}
	if served == "" {
		view.Printf("metrics are not served (see the first lines), so -hold has no effect")
		return nil
	}
	view.Printf("serving metrics for %v more", c.hold)
	view.Printf("%s · Ctrl-C ends", served)
	select {
	case <-time.After(c.hold):
	case <-ctx.Done():
	}
	return dump()
}
