// Package show has what the examples share that is not about any vendor: their command line, and the
// printing of what was booked.
package show

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/fake"
)

// Main runs an example against the fake. With -real, vendor is nil, and the calls go to the vendor.
func Main(run func(ctx context.Context, out io.Writer, vendor http.RoundTripper) error) {
	vendors := flag.Bool("real", false, "call the vendor, with your key and for your money, and not the fake")
	flag.Parse()
	var vendor http.RoundTripper
	if !*vendors {
		transport, stop := fake.Start()
		defer stop()
		vendor = transport
	}
	if err := run(context.Background(), os.Stdout, vendor); err != nil {
		log.Fatal(err)
	}
}

var booked = regexp.MustCompile(`^video_processing_(api_calls_total|api_unpriced_total|cost_usd_total)\{`)

// Booked prints the calls and costs of a page of metrics, as Prometheus scrapes it.
func Booked(out io.Writer, page http.Handler) {
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var lines []string
	for line := range strings.Lines(answer.Body.String()) {
		if booked.MatchString(line) && !strings.HasSuffix(line, " 0\n") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	fmt.Fprint(out, strings.Join(lines, ""))
}
