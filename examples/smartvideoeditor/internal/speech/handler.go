package speech

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// The API's limits.
const (
	maxUpload   = 25 << 20
	maxForm     = maxUpload + 1<<20 // with the other fields and the boundaries
	inMemory    = 1 << 20
	minDuration = 100 * time.Millisecond
	maxUploads  = 32 // that are kept at once
	// transferTime is how long a client may take to send a recording, or to read the answer.
	transferTime = time.Minute
)

// scopeName names the tracer of the service's spans.
const scopeName = "github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/speech"

// handler serves the API. It listens to as many recordings at once as slots has room for, and keeps
// as many as uploads has.
type handler struct {
	recognizer     Recognizer
	slots, uploads chan struct{}
	transfer       time.Duration
}

// Handler serves the API over a recognizer, and its chat model. At most parallel recordings are listened to at once, and
// a few times as many are kept for it; further requests wait before they are read. Each request is
// a span of the caller's trace, which the header traceparent names.
func Handler(recognizer Recognizer, parallel int) http.Handler {
	parallel = max(1, parallel)
	h := &handler{
		recognizer: recognizer,
		slots:      make(chan struct{}, parallel),
		uploads:    make(chan struct{}, max(parallel, min(4*parallel, maxUploads))),
		transfer:   transferTime,
	}
	return h.mux()
}

func (h *handler) mux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/audio/transcriptions", h.transcriptions)
	mux.HandleFunc("POST /v1/chat/completions", h.completions)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, refusal(http.StatusNotFound, "invalid_request_error", "Invalid URL (%.40s %.200s)", r.Method, r.URL.Path))
	})
	return mux
}

func (h *handler) transcriptions(w http.ResponseWriter, r *http.Request) {
	contentType, body, err := h.answer(w, r)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.transfer)) // a writer without deadlines has none
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body) // an error here is one of the connection: no answer can report it
}

// answer makes the answer, as soon as there is room for the recording.
func (h *handler) answer(w http.ResponseWriter, r *http.Request) (contentType string, body []byte, err error) {
	select {
	case h.uploads <- struct{}{}:
		defer func() { <-h.uploads }()
	case <-r.Context().Done():
		return "", nil, r.Context().Err()
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	defer func() {
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // removes uploaded files from the temporary folder
		}
	}()
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(h.transfer)) // as above
	upload, form, err := parse(r)
	if err != nil {
		return "", nil, err
	}
	// Past the upload, the server reads only to see whether the client leaves.
	_ = connection.SetReadDeadline(time.Time{})
	return h.transcribe(r, upload, form, progress(w, r, h.transfer))
}

func (h *handler) transcribe(r *http.Request, upload *multipart.FileHeader, form format, told func(float64)) (contentType string, body []byte, err error) {
	path, err := save(upload)
	if err != nil {
		return "", nil, err
	}
	defer os.Remove(path)

	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := otel.Tracer(scopeName).Start(ctx, "POST /v1/audio/transcriptions", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	transcript, err := h.recognizer.Recognize(ctx, path, told)
	switch {
	case errors.Is(err, ErrNotAudio):
		return "", nil, badRequest("file", "The audio file could not be decoded or its format is not supported.")
	case errors.Is(err, ErrTooLong):
		return "", nil, badRequest("file", "Audio file is too long.")
	case err != nil:
		return "", nil, err
	case transcript.Duration < minDuration:
		return "", nil, badRequest("file", "Audio file is too short. Minimum audio length is %g seconds.", minDuration.Seconds())
	}
	body, err = form.encode(transcript)
	return form.contentType, body, err
}

// parse reads the form of the request, and checks whether this service supports it.
func parse(r *http.Request) (*multipart.FileHeader, format, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return nil, format{}, refusal(http.StatusUnsupportedMediaType, "invalid_request_error",
			"Content-Type is %.80q; multipart/form-data is needed", r.Header.Get("Content-Type"))
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, format{}, refusal(http.StatusUnsupportedMediaType, "invalid_request_error",
			"Content-Encoding is %.80q; this service unpacks nothing", encoding)
	}
	if err := r.ParseMultipartForm(inMemory); err != nil {
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return nil, format{}, tooLarge(large.Limit)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, format{}, refusal(http.StatusRequestTimeout, "invalid_request_error", "The upload took too long.")
		}
		return nil, format{}, refusal(http.StatusBadRequest, "invalid_request_error", "Could not parse multipart form: %v", err)
	}
	if r.FormValue("model") == "" {
		return nil, format{}, badRequest("model", "you must provide a model parameter")
	}
	files := r.MultipartForm.File["file"]
	if len(files) != 1 {
		return nil, format{}, badRequest("file", "%d files were sent; 1 is needed", len(files))
	}
	if files[0].Size > maxUpload {
		return nil, format{}, tooLarge(files[0].Size)
	}
	switch language := r.FormValue("language"); language {
	case "", "en":
	default:
		return nil, format{}, badRequest("language", "language %.40q is not supported: this service understands en", language)
	}
	if r.FormValue("stream") == "true" {
		return nil, format{}, badRequest("stream", "streaming is not supported by this service")
	}
	name := r.FormValue("response_format")
	if name == "" {
		name = "json"
	}
	form, ok := formats[name]
	if !ok {
		return nil, format{}, badRequest("response_format",
			"response_format %.40q is not one of json, text, verbose_json, srt, vtt", name)
	}
	return files[0], form, nil
}

func tooLarge(size int64) error {
	return refusal(http.StatusRequestEntityTooLarge, "invalid_request_error",
		"Maximum content size limit (%d) exceeded (%d bytes read)", maxUpload, size)
}

// save writes the upload where ffmpeg can read it.
func save(upload *multipart.FileHeader) (path string, err error) {
	in, err := upload.Open()
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.CreateTemp("", "speech-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			_ = os.Remove(out.Name())
		}
	}()
	_, err = io.Copy(out, in)
	return out.Name(), err
}
