package aihttp

import (
	"bytes"
	"io"
	"net/http"
	"slices"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

const (
	maxRewritten = 4 << 20 // bytes of a request that is given the option
	maxHeldLine  = 1 << 20 // bytes of a line that is held back until it is whole
)

// askUsage adds to the request of a stream that the answer shall tell its usage, if the request does
// not say. It reports whether it has. A client that asks for a compressed answer by itself is left
// alone: the event could not be taken out of that.
func askUsage(r *http.Request) (asked bool) {
	defer contain()
	if coding := r.Header.Get("Accept-Encoding"); coding != "" && coding != "identity" {
		return false
	}
	if r.GetBody == nil || r.ContentLength <= 0 || r.ContentLength > maxRewritten || isForm(r.Header.Get("Content-Type")) {
		return false
	}
	body, err := r.GetBody()
	if err != nil {
		return false
	}
	text, err := io.ReadAll(io.LimitReader(body, maxRewritten+1))
	_ = body.Close()
	text = bytes.TrimRight(text, " \t\r\n")
	if err != nil || len(text) > maxRewritten || len(text) < 2 || text[len(text)-1] != '}' {
		return false
	}
	v := wire.Value(text)
	options := v.Get("stream_options")
	if string(v.Get("stream")) != "true" || !options.Null() && (options[0] != '{' || options.Get("include_usage") != nil) {
		return false
	}
	if options.Null() {
		text = append(text[:len(text)-1:len(text)-1], `,"stream_options":{"include_usage":true}}`...)
	} else { // the request has other options
		text = addUsage(text, cap(text)-cap(options))
	}
	_ = r.Body.Close()
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(text))
	if r.Header.Get("Content-Length") != "" {
		r.Header = r.Header.Clone()
		r.Header.Del("Content-Length")
	}
	return true
}

// addUsage adds the option to the object of options that begins at a place of a request.
func addUsage(text []byte, at int) []byte {
	option := `{"include_usage":true,`
	if rest := bytes.TrimLeft(text[at+1:], " \t\r\n"); rest[0] == '}' {
		option = option[:len(option)-1]
	}
	return slices.Concat(text[:at], []byte(option), text[at+1:])
}

// stripper is a stream without the event that askUsage has added. It holds back no more than the
// line that is not whole yet.
type stripper struct {
	src  io.Reader
	sees func([]byte) // is given all that comes

	line  []byte
	out   []byte // of buf: what is to be read
	buf   []byte
	piece []byte
	long  bool // the line is too long to be held
	blank bool // the empty line behind the event is to go, too
	err   error
}

func (s *stripper) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(s.out) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if s.piece == nil {
			s.piece = make([]byte, 4096)
		}
		n, err := s.src.Read(s.piece)
		s.sees(s.piece[:n])
		s.out = s.buf[:0]
		s.take(s.piece[:n])
		if s.err = err; err != nil {
			s.out, s.line = append(s.out, s.line...), nil
		}
		s.buf = s.out
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

func (s *stripper) take(p []byte) {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			s.line = append(s.line, p...)
			if s.long = s.long || len(s.line) > maxHeldLine; s.long {
				s.out, s.line = append(s.out, s.line...), s.line[:0]
			}
			return
		}
		s.line = append(s.line, p[:end]...)
		p = p[end:]
		text := bytes.TrimRight(s.line, "\r\n")
		switch {
		case !s.long && s.blank && len(text) == 0:
		case !s.long && isAdded(text):
			s.line, s.blank = s.line[:0], true
			continue
		default:
			s.out = append(s.out, s.line...)
		}
		s.line, s.blank, s.long = s.line[:0], false, false
	}
}

// isAdded reports whether a line is the event with nothing but usage.
func isAdded(line []byte) (added bool) {
	defer contain()
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok || !bytes.Contains(data, []byte(`_tokens"`)) {
		return false
	}
	v := wire.Value(bytes.TrimSpace(data))
	choices := v.Get("choices")
	empty := len(choices) >= 2 && choices[0] == '[' && len(bytes.TrimSpace(choices[1:len(choices)-1])) == 0
	return empty && !v.Get("usage").Null()
}
