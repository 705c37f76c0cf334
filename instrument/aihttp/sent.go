package aihttp

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"strings"
)

// sizeOf returns how many bytes the body of a request has at most, or -1 if nobody knows. A client
// that is given a file by itself sets no ContentLength.
func sizeOf(r *http.Request) int64 {
	if r.ContentLength > 0 || r.Body == nil || r.Body == http.NoBody {
		return r.ContentLength
	}
	if f, ok := r.Body.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return -1
}

// isJSON reports whether the body of a request is JSON. Of one without a type, the first byte says
// so if it can be had twice; what is read as it is sent is a file.
func isJSON(r *http.Request) bool {
	if kind := r.Header.Get("Content-Type"); kind != "" || r.Body == nil {
		return kind == "" || strings.Contains(kind, "json")
	}
	if r.GetBody == nil {
		return false
	}
	body, err := r.GetBody()
	if err != nil {
		return true
	}
	defer body.Close()
	head := make([]byte, 64)
	n, _ := io.ReadFull(body, head)
	head = bytes.TrimLeft(head[:n], " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

// isForm reports whether a Content-Type is that of a multipart form.
func isForm(kind string) bool {
	const form = "multipart/"
	return len(kind) > len(form) && strings.EqualFold(kind[:len(form)], form)
}
