package speech

import (
	"net/http"
	"strconv"
	"time"
)

// ProgressHeader is a header beyond OpenAI's API. A request with it gets informational responses
// (102) about four times a second, with the fraction of the recording that is transcribed, from 0
// to 1, in the same header. Other requests get none: some clients take 102 for the answer.
const ProgressHeader = "Progress"

// progress returns a function that sends the progress of a request to its client.
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
