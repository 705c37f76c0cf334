package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	cache = "../../.cache"
	shots = cache + "/screenshots"
	axeJS = cache + "/browser/node_modules/axe-core/axe.min.js"
)

// chromium is the browser that all tests share. Each opens tabs with cookies and storage of their own.
var chromium context.Context

// axe is the source of axe-core.
var axe string

func TestMain(m *testing.M) {
	code, err := tests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func tests(m *testing.M) (int, error) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "OTEL_") {
			os.Unsetenv(name)
		}
	}
	text, err := os.ReadFile(axeJS)
	if err != nil {
		return 0, fmt.Errorf("axe-core is not installed: use make browser: %w", err)
	}
	axe = string(text)
	if err := os.MkdirAll(shots, 0o755); err != nil {
		return 0, err
	}
	path, err := browserPath()
	if err != nil {
		return 0, err
	}
	home, err := os.MkdirTemp("", "browser-test-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(home, "profile")), chromedp.WindowSize(width, height),
		chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // Chromium does not run as root with it
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	chromium = ctx
	// The spans of programs that push nothing have no id.
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer collector.Close()
	os.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	os.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	busy, err = startBusy()
	if err != nil {
		return 0, err
	}
	defer busy.stop()
	return m.Run(), nil
}

// browserPath returns where the browser is: $CHROMIUM, or the first one in PATH.
func browserPath() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither chromium nor google-chrome is in PATH: use make deps, or set CHROMIUM")
}
