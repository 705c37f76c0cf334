package speech

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// ErrNotAudio is a Recognizer's answer to a file that holds no sound it can read.
var ErrNotAudio = errors.New("not an audio file")

// ErrTooLong is a Recognizer's answer to a recording that is longer than it takes.
var ErrTooLong = errors.New("the recording is too long")

// apiError is an error as OpenAI's API answers it.
type apiError struct {
	status  int
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func (e *apiError) Error() string { return e.Message }

// badRequest is the caller's mistake in one parameter.
func badRequest(param, format string, args ...any) *apiError {
	return &apiError{
		status:  http.StatusBadRequest,
		Message: fmt.Sprintf(format, args...),
		Type:    "invalid_request_error",
		Param:   &param,
	}
}

// refusal is any other answer that is no transcription.
func refusal(status int, kind, format string, args ...any) *apiError {
	return &apiError{status: status, Message: fmt.Sprintf(format, args...), Type: kind}
}

func writeError(w http.ResponseWriter, err error) {
	var answer *apiError
	if !errors.As(err, &answer) {
		answer = refusal(http.StatusInternalServerError, "server_error", "%v", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": answer}) // an error here is one of the connection: no answer can report it
}
