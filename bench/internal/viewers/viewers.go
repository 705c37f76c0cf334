// Package viewers measures the cost of the live page while clients are connected.
package viewers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

const (
	clients = 10
	limit   = 5.0 // the goal, in % of a core
)

// Mount mounts a live page: only a program imports it.
type Mount = func(*exporters.Telemetry, *instrument.Pipeline) error

// Measure connects ten clients to a page of 1,000 live jobs.
func Measure(mount Mount, quick bool) (figures.Section, error) {
	sec := figures.Section{Name: "viewers", Title: "A live page with clients",
		Intro: "The CPU time of a process that does nothing but serve its live page over HTTP: with 1,000 live jobs and 1,000 that have ended, each of " +
			"five stages with progress and earlier runs, and four paid calls. The clients read its compressed events in the same process, and do not decompress them; " +
			"their share is included."}
	if _, ok := cpuTime(); !ok {
		sec.Note("This system does not report the CPU time of a process.")
		return sec, nil
	}
	tel, err := exporters.Start(context.Background(), exporters.WithPrometheusAddr("127.0.0.1:0"), exporters.WithoutGlobals())
	if err != nil {
		return sec, err
	}
	defer func() { _ = tel.Shutdown(context.Background()) }() // nothing is pushed
	end, err := fill(tel, mount)
	if err != nil {
		return sec, err
	}
	defer end()
	period := 5 * time.Second
	if quick {
		period = 3 * time.Second
	}
	t := figures.Table{Title: "CPU time", Columns: []string{"clients", "share of a core", "a client receives, each second"}}
	for _, n := range []int{0, clients} {
		share, received, err := look("http://"+tel.Addr().String(), n, period)
		if err != nil {
			return sec, fmt.Errorf("%d clients: %w", n, err)
		}
		size := ""
		if n > 0 {
			size = figures.Bytes(received / float64(n))
		}
		t.Add(fmt.Sprint(n), figures.Figure(share)+" %", size)
		if n == clients {
			sec.Absolute(fmt.Sprintf("Live page: share of a core with %d clients and 1,000 live jobs", n), "CPU time", share, limit, "%")
		}
	}
	sec.Tables = append(sec.Tables, t)
	return sec, nil
}

// fill mounts a page whose jobs live until end.
func fill(tel *exporters.Telemetry, mount Mount) (end func(), err error) {
	stages := []string{"validation", "analysis", "transcription", "normalization", "rendering"}
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithStages(stages...), instrument.WithAPIs("whisper"))
	if err != nil {
		return nil, err
	}
	if err := mount(tel, p); err != nil {
		return nil, err
	}
	var ends []func()
	for i := range 2000 {
		live := i >= 1000
		ctx, job := p.StartJob(context.Background(), fmt.Sprint("interview-", i), instrument.WithBudget(2*instrument.Dollar),
			instrument.WithVideoDuration(time.Duration(i+1)*time.Second))
		for k, name := range stages {
			ctx, stage := instrument.StartStage(ctx, name)
			if k == len(stages)-1 {
				instrument.ReportProgress(ctx, float64(i%10), 10, instrument.WithUnit("s"), instrument.WithSpeed(1.5))
				if live {
					ends = append(ends, func() { stage.End(nil) })
					continue
				}
			} else if err := instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
				instrument.CallFromContext(ctx).SetCost(instrument.Cent)
				return nil
			}); err != nil {
				return nil, err
			}
			stage.End(nil)
		}
		if live {
			ends = append(ends, func() { job.End(nil) })
			continue
		}
		job.End(nil)
	}
	return func() {
		for _, f := range ends {
			f()
		}
	}, nil
}

// look connects n clients, and returns the share of a core, in %, that the process used during
// period, and how many bytes all clients received each second.
func look(server string, n int, period time.Duration) (share, received float64, err error) {
	ctx, leave := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer leave()
	var bytes counter
	for range n {
		body, err := open(ctx, server+"/live/events")
		if err != nil {
			return 0, 0, err
		}
		wg.Go(func() {
			defer body.Close()
			_, _ = io.Copy(&bytes, body) // until the client leaves
		})
	}
	time.Sleep(1500 * time.Millisecond) // so that the period has as many ticks of a second as it has seconds
	start := time.Now()
	cpu, _ := cpuTime()
	before := bytes.n.Load()
	time.Sleep(period)
	now, _ := cpuTime()
	took := time.Since(start).Seconds()
	if received = float64(bytes.n.Load() - before); n > 0 && received == 0 {
		return 0, 0, errors.New("the stream is silent")
	}
	return 100 * (now - cpu).Seconds() / took, received / took, nil
}

// open requests the events over a connection of its own, as a browser does.
func open(ctx context.Context, url string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, errors.New(resp.Status)
	}
	return resp.Body, nil
}

// counter counts what is written to it.
type counter struct{ n atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
