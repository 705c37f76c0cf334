package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
)

// answering is a Prometheus that answers each query with one result, but the one that has without in it with none.
func answering(t *testing.T, without string) figures {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, result := "vector", `{"metric":{"stage":"analysis","le":"+Inf"},"value":[1000,"2"]}`
		if strings.HasSuffix(r.URL.Path, "/query_range") {
			kind, result = "matrix", `{"metric":{},"values":[[1003,"1"],[1004,"2"],[1005,"2"]]}`
		}
		if without != "" && strings.Contains(r.FormValue("query"), without) {
			result = ""
		}
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":%q,"result":[%s]}}`, kind, result)
	}))
	t.Cleanup(server.Close)
	f, err := newFigures(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tenSeconds are a range that holds what answering answers.
var tenSeconds = promapi.Range{Start: time.Unix(1000, 0), End: time.Unix(1010, 0)}

// TestPicturesTellWhatIsMissing: a picture with a gap looks like a pipeline that does nothing.
func TestPicturesTellWhatIsMissing(t *testing.T) {
	for _, p := range pictures {
		last := p.series[len(p.series)-1]
		t.Run(p.file, func(t *testing.T) {
			dir := t.TempDir()
			err := answering(t, last.query).draw(t.Context(), dir, tenSeconds)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range []string{p.file, "no data", last.name, last.query} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not name %q", err, part)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("wrote %v (%v), want none of the pictures", left, err)
			}
		})
	}
}

// TestPicturesOfShortRuns: few points make pictures too.
func TestPicturesOfShortRuns(t *testing.T) {
	dir := t.TempDir()
	if err := answering(t, "").draw(t.Context(), dir, tenSeconds); err != nil {
		t.Fatal(err)
	}
	if drawn, err := os.ReadDir(dir); err != nil || len(drawn) != len(pictures) {
		t.Errorf("drew %v (%v)", drawn, err)
	}
}

// TestTimeEndsAtANumber: the curves go on to the next number of the x-axis, past the end of the run.
func TestTimeEndsAtANumber(t *testing.T) {
	second := map[string]float64{}
	for at := 3; at < 30; at++ {
		second[fmt.Sprint(at)] = 1
	}
	for until, want := range map[float64]string{12.5: "10", 13: "10", 13.5: "15", 100: "25"} {
		found := picture{}.arrange([]map[string]float64{second}, until)
		if got := found.labels[len(found.labels)-1]; got != want || len(found.of[0]) != len(found.labels) {
			t.Errorf("until %v it ends at %s, want %s", until, got, want)
		}
	}
}

// TestArrange: seconds begin with the first value, a bar is what its own bucket holds, and none is not zero.
func TestArrange(t *testing.T) {
	over := picture{}.arrange([]map[string]float64{{"7": 1, "8": 2, "10": 3}, {"9": 4}}, 10)
	if want := []string{"0", "1", "2", "3"}; !slices.Equal(over.labels, want) {
		t.Errorf("seconds %v, want %v", over.labels, want)
	}
	if got, want := fmt.Sprint(over.of), "[[1 2 NaN 3] [NaN NaN 4 NaN]]"; got != want {
		t.Errorf("over time %s, want %s", got, want)
	}
	bars := picture{by: "le", buckets: true}.arrange([]map[string]float64{{"+Inf": 9, "10.0": 5, "2.0": 3}}, 0)
	if got, want := fmt.Sprint(bounds(bars.labels), bars.of), "[2 10 more] [[3 2 4]]"; got != want {
		t.Errorf("buckets %s, want %s", got, want)
	}
	stages := picture{by: "stage", order: []string{"validation", "analysis"}}.arrange(
		[]map[string]float64{{"upload": 1, "analysis": 2, "archive": 3, "validation": 4}}, 0)
	if want := []string{"validation", "analysis", "archive", "upload"}; !slices.Equal(stages.labels, want) {
		t.Errorf("stages %v, want %v", stages.labels, want)
	}
}
