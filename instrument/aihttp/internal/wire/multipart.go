package wire

import (
	"bytes"
	"mime"
	"strings"
)

const (
	maxHeader = 8 << 10 // bytes of the headers of one part
	maxField  = 4 << 10 // bytes of a field that is kept
)

// Form keeps the small fields of a multipart form while the form is written to it, wherever they
// stand, and counts the bytes of its file.
type Form struct {
	// Fields are those that are kept, by name; others are not.
	Fields map[string]string
	// File is the number of bytes of the parts that have a file name.
	File int64
	// Head is the begin of the first file.
	Head []byte

	delim []byte // LF, two hyphens and the boundary; a CR before it is of no part
	tail  []byte // bytes that may be the begin of a delimiter or are of a header
	where place
	name  string
	value []byte
	file  bool
	cr    bool // a CR is held back
}

type place int

const (
	inPreamble place = iota
	inHeader
	inField
	inOther // a file, or a field that is not kept
	behind  // the last delimiter, or in a form that is none
)

// NewForm returns a Form for a request's Content-Type, or nil if that is no form. names are the
// fields that are kept.
func NewForm(contentType string, names ...string) *Form {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "multipart/") || params["boundary"] == "" || len(params["boundary"]) > 200 {
		return nil
	}
	f := &Form{Fields: make(map[string]string, len(names)), delim: []byte("\n--" + params["boundary"])}
	for _, name := range names {
		f.Fields[name] = ""
	}
	f.tail = append(f.tail, '\n') // the first delimiter may stand at the very begin
	return f
}

// Write takes the next piece of the form. It returns len(p) and nil.
func (f *Form) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && f.where != behind {
		if f.where == inHeader {
			p = f.header(p)
			continue
		}
		p = f.body(p)
	}
	return n, nil
}

// body takes bytes up to a delimiter. What may be the begin of one is held back.
func (f *Form) body(p []byte) []byte {
	if len(f.tail) > 0 {
		// Join just as much as a delimiter needs.
		held := len(f.tail)
		more := min(len(p), len(f.delim))
		f.tail = append(f.tail, p[:more]...)
		if at := bytes.Index(f.tail, f.delim); at >= 0 {
			f.content(f.tail[:at])
			used := at + len(f.delim) - held
			f.partEnds()
			return p[used:]
		}
		if more < len(f.delim) { // p is all in tail
			keep := overlap(f.tail, f.delim)
			f.content(f.tail[:len(f.tail)-keep])
			f.tail = append(f.tail[:0], f.tail[len(f.tail)-keep:]...)
			return nil
		}
		f.content(f.tail[:held])
		f.tail = f.tail[:0]
	}
	at := bytes.Index(p, f.delim)
	if at >= 0 {
		f.content(p[:at])
		f.partEnds()
		return p[at+len(f.delim):]
	}
	keep := overlap(p, f.delim)
	f.content(p[:len(p)-keep])
	f.tail = append(f.tail[:0], p[len(p)-keep:]...)
	return nil
}

// overlap returns how long the end of p is that begins delim.
func overlap(p, delim []byte) int {
	for n := min(len(p), len(delim)-1); n > 0; n-- {
		if bytes.HasPrefix(delim, p[len(p)-n:]) {
			return n
		}
	}
	return 0
}

// content takes bytes of a part. A CR at their end is held back: it may be of the delimiter.
func (f *Form) content(p []byte) {
	if len(p) == 0 {
		return
	}
	if f.cr {
		f.cr = false
		f.bytes([]byte{'\r'})
	}
	if f.cr = p[len(p)-1] == '\r'; f.cr {
		p = p[:len(p)-1]
	}
	f.bytes(p)
}

func (f *Form) bytes(p []byte) {
	switch {
	case f.where == inField:
		if len(f.value)+len(p) > maxField {
			f.where = inOther
			return
		}
		f.value = append(f.value, p...)
	case f.where == inOther && f.file:
		f.File += int64(len(p))
		if room := 4096 - len(f.Head); room > 0 {
			f.Head = append(f.Head, p[:min(room, len(p))]...)
		}
	}
}

func (f *Form) partEnds() {
	if f.where == inField {
		f.Fields[f.name] = string(f.value)
	}
	f.where, f.tail, f.value, f.file, f.cr = inHeader, f.tail[:0], f.value[:0], false, false
}

// header takes the headers of a part, with what follows the delimiter on its line.
func (f *Form) header(p []byte) []byte {
	held := len(f.tail)
	f.tail = append(f.tail, p[:min(len(p), maxHeader+4)]...)
	if bytes.HasPrefix(f.tail, []byte("--")) {
		f.where = behind
		return nil
	}
	end, size := headerEnd(f.tail)
	switch {
	case end > maxHeader || end < 0 && len(f.tail) > maxHeader:
		f.where = behind
		return nil
	case end < 0:
		return nil
	}
	used := end + size - held
	f.part(string(f.tail[:end]))
	f.tail = f.tail[:0]
	return p[used:]
}

// headerEnd returns where the headers of a part end, and how long the end is, or -1. It is an empty
// line, which ends as lines do: in CR LF, or LF as some clients write.
func headerEnd(p []byte) (at, size int) {
	for at = 0; ; at++ {
		next := bytes.IndexByte(p[at:], '\n')
		if next < 0 {
			return -1, 0
		}
		at += next
		switch rest := p[at+1:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return at, 2
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return at, 3
		}
	}
}

// unfold joins the lines of a header that goes on in the next line.
var unfold = strings.NewReplacer("\r\n ", " ", "\r\n\t", " ", "\n ", " ", "\n\t", " ")

func (f *Form) part(header string) {
	f.where = inOther
	for line := range strings.SplitSeq(unfold.Replace(header), "\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "Content-Disposition") {
			continue
		}
		_, params, err := mime.ParseMediaType(strings.TrimSpace(value))
		if err != nil { // such as of a file's name with a quote in it
			params = loose(value)
		}
		_, f.file = params["filename"]
		if _, kept := f.Fields[params["name"]]; kept && !f.file {
			f.where, f.name = inField, params["name"]
		}
		return
	}
}

// loose returns the name of a field, and whether it has a file, of a Content-Disposition that does
// not keep the rules.
func loose(s string) map[string]string {
	params := make(map[string]string)
	for part := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		name, _, _ = strings.Cut(strings.ToLower(name), "*")
		if _, twice := params[name]; ok && !twice {
			params[name] = strings.Trim(value, `"`)
		}
	}
	return params
}
