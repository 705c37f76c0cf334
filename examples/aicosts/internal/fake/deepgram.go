package fake

import (
	"fmt"
	"io"
	"net/http"
)

// deepgramListen tells the length of the sound that it was sent: each second is billed.
func deepgramListen(w http.ResponseWriter, r *http.Request) {
	size, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, fmt.Sprintf(`{"metadata":{"request_id":"d-1","duration":%g,"channels":1,"models":["m-1"],"model_info":{"m-1":{"name":"general-nova-3","version":"2026-01-01","arch":"nova-3"}}},`+
		`"results":{"channels":[{"alternatives":[{"transcript":"We open on the harbor.","confidence":0.99,"words":[]}]}]}}`, lengthOf(size)))
}
