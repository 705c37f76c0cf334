package speech

import (
	"net/http"
	"strconv"
	"time"
)

// ProgressHeader is a header beyond OpenAI's API. A request that has it is told how much of its
// recording is transcribed, from 0 to 1, in the same header of informational responses (102), about
// four times a second. Others are not told: some clients take 102 for the answer.
const ProgressHeader = "Progress"

// progress returns a function that says how far a request is.
func progress(w http.ResponseWriter, r *http.Request, transfer time.Duration) func(fraction float64) {
	if r.Header.Get(ProgressHeader) == "" || !r.ProtoAtLeast(1, 1) {
		return func(float64) {}
	}
	return func(fraction float64) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(transfer)) // a writer without deadlines has none
		w.Header().Set(ProgressHeader, strconv.FormatFloat(fraction, 'f', 4, 64))
		w.WriteHeader(http.StatusProcessing)
		w.Header().Del(ProgressHeader) // not of the answer
	}
}
