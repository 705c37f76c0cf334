// Command pictures takes the pictures of a live page that README.md shows, livepage-light.png and livepage-dark.png, while
// jobs run:
//
//	pictures -url http://localhost:9099/ -out docs/images
//
// It waits until some jobs run and others are done, and meanwhile reads the metrics, as Prometheus would.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	wide, high = 1280, 1000
	sharp      = 1.5 // pixels of a picture for each of the page
	largest    = 250 << 10
)

func main() {
	url := flag.String("url", "http://localhost:9099/", "the `URL` of the live page")
	out := flag.String("out", "docs/images", "the `folder` of the pictures")
	ended := flag.Int("ended", 4, "wait until `N` jobs have ended")
	patience := flag.Duration("patience", 15*time.Minute, "wait at most for a `duration`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *patience)
	defer cancel()
	err := wait(ctx, *url, *ended)
	if err == nil {
		err = shoot(ctx, *url, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// wait waits until the page at url has something to show: several jobs that run, one of them with an estimate and some
// way to go and none that has stalled, as on a machine with too much to do, and others that have ended.
func wait(ctx context.Context, url string, ended int) error {
	for n := 0; ; n++ {
		if n%10 == 0 {
			_, _ = get(ctx, url+"metrics")
		}
		var snapshot struct {
			Running, Kept int
			Jobs          []struct {
				Stalled  int64
				Progress *float64
				ETA      *struct{ Left int }
			}
		}
		text, err := get(ctx, url+"live/snapshot.json")
		if err == nil {
			err = json.Unmarshal(text, &snapshot)
		}
		stalled, halfway := false, false
		for _, j := range snapshot.Jobs {
			stalled = stalled || j.Stalled != 0
			halfway = halfway || j.ETA != nil && j.Progress != nil && *j.Progress > 0.25 && *j.Progress < 0.8
		}
		if snapshot.Running >= 2 && snapshot.Kept >= ended && halfway && !stalled {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("%d jobs run and %d have ended", snapshot.Running, snapshot.Kept)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", url, err, ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// shoot takes the page at url, light and dark.
func shoot(ctx context.Context, url, out string) error {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.WindowSize(wide, high), chromedp.WSURLReadTimeout(time.Minute))
	if path := os.Getenv("CHROMIUM"); path != "" {
		opts = append(opts, chromedp.ExecPath(path))
	}
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(ctx, opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.EmulateViewport(wide, high, chromedp.EmulateScale(sharp)), chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS(".jobs tbody tr")))
	if err != nil {
		return err
	}
	for _, theme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			return err
		}
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		small, err := reduce(picture)
		if err != nil {
			return err
		}
		name := filepath.Join(out, "livepage-"+theme+".png")
		if len(small) > largest {
			return fmt.Errorf("%s would have %d bytes, more than %d", name, len(small), largest)
		}
		if err := os.WriteFile(name, small, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d KiB\n", name, len(small)>>10)
	}
	return nil
}
