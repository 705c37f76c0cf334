package livepage

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// The page as it is served: nothing builds it.
//
//go:embed page
var pageFiles embed.FS

// A file of the page, as it is and packed.
type file struct {
	kind, tag     string
	plain, packed []byte
}

// files returns the files of the page by the path that they are served at.
var files = sync.OnceValue(readFiles)

func readFiles() map[string]*file {
	all := make(map[string]*file)
	_ = fs.WalkDir(pageFiles, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := pageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		at := "/live/" + name[len("page/"):]
		if name == "page/index.html" {
			at = "/"
		}
		all[at] = newFile(name, text)
		return nil
	})
	return all
}

func newFile(name string, text []byte) *file {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression)
	sum := sha256.Sum256(text)
	return &file{kind: kindOf(name), tag: hex.EncodeToString(sum[:8]), plain: text, packed: pack(text, w, w.Close)}
}

// kindOf returns the media type of a file. It does not ask the system, whose answers differ.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "text/plain; charset=utf-8"
	}
}

// serve answers with the file, or with 304 if the client has it.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	text, tag := f.plain, f.tag
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		text, tag = f.packed, f.tag+"-gzip"
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}
