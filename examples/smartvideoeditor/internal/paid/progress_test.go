package paid

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// Valid progress of a service is reported, anything else is ignored.
func TestProgress(t *testing.T) {
	asked := false
	client, recording := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked = r.Header.Get("Progress") != ""; asked {
			for _, fraction := range []string{"0", "0.25", "NaN", "-1", "2", "half", "1"} {
				w.Header().Set("Progress", fraction)
				w.WriteHeader(http.StatusProcessing)
			}
			w.Header().Del("Progress")
			w.WriteHeader(http.StatusEarlyHints)
		}
		answer(w, 200, map[string]any{"text": "hello"})
	})
	var told []float64
	ctx := WithProgress(t.Context(), func(fraction float64) { told = append(told, fraction) })
	if got, err := client.Transcribe(ctx, recording, 12*time.Second); err != nil || got.Text != "hello" || !slices.Equal(told, []float64{0, 0.25, 1}) {
		t.Errorf("got %+v, %v and the progress %v", got, err, told)
	}
	if _, err := client.Transcribe(t.Context(), recording, 12*time.Second); err != nil || asked {
		t.Errorf("asked for progress that nobody wants: %v, %v", asked, err)
	}
}
