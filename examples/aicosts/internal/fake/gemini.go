package fake

import (
	"fmt"
	"net/http"
	"strings"
)

// gemini thinks before it answers a stream: thoughts are billed as output, beside the candidates.
// Each event tells the usage so far.
func gemini(w http.ResponseWriter, r *http.Request) {
	model, method, _ := strings.Cut(r.PathValue("call"), ":")
	part := func(text, finish, usage string) string {
		return fmt.Sprintf(`{"candidates":[{"content":{"role":"model","parts":[{"text":"%s"}]},%s"index":0}],`+
			`"usageMetadata":{%s,"promptTokensDetails":[{"modality":"TEXT","tokenCount":24}]},"modelVersion":"%s","responseId":"r-1"}`, text, finish, usage, model)
	}
	const last = `"finishReason":"STOP",`
	if method == "generateContent" {
		answer(w, part("Late Boat", last, `"promptTokenCount":24,"candidatesTokenCount":3,"totalTokenCount":27`))
		return
	}
	events(w,
		part("A boat is late,", "", `"promptTokenCount":24,"candidatesTokenCount":5,"thoughtsTokenCount":40,"totalTokenCount":69`),
		part(" and the harbor waits.", last, `"promptTokenCount":24,"candidatesTokenCount":11,"thoughtsTokenCount":40,"totalTokenCount":75`))
}
