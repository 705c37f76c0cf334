package livepage

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// The page, without the files that only its tests and types need. No build step makes it. The
// license of lit-html requires that each copy, so each program, includes it.
//
//go:embed page/*.html page/*.css page/*.js page/panels/*.js
//go:embed page/lib/lit-html/LICENSE page/lib/lit-html/*.js page/lib/lit-html/directives/*.js
var pageFiles embed.FS

// A file of the page, plain and packed.
type file struct {
	kind, tag     string
	plain, packed []byte
}

// files returns the files of the page by the path that they are served at.
var files = sync.OnceValue(readFiles)

func readFiles() map[string]*file {
	all := make(map[string]*file)
	page, _ := fs.Sub(pageFiles, "page")
	_ = fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := served(page, name)
		if text == nil {
			return err
		}
		at := "/live/" + name
		if name == "index.html" {
			at = "/"
		}
		all[at] = newFile(name, text)
		return nil
	})
	return all
}

// served returns the text to serve for a file of the page, or nil if it is not served: the page's
// own modules are joined into app.js, and files of a report belong only to reports.
func served(page fs.FS, name string) ([]byte, error) {
	switch {
	case name == "app.js":
		return joinModules(page, name)
	case path.Ext(name) == ".js" && !strings.HasPrefix(name, "lib/"), path.Base(name) == "LICENSE", strings.HasPrefix(name, "report"):
		return nil, nil
	}
	if name == "style.css" {
		return styles(page, name)
	}
	return fs.ReadFile(page, name)
}

// tight takes the spaces out of a style sheet that mean nothing.
var tight = strings.NewReplacer(": ", ":", "; }", "}", "; ", ";", " { ", "{", " {", "{", ", ", ",")

// styles returns style sheets as one, without comments and most spaces. No text in them may have a
// space after a colon, a semicolon or a comma.
func styles(page fs.FS, names ...string) ([]byte, error) {
	var lines []string
	for _, name := range names {
		text, err := fs.ReadFile(page, name)
		if err != nil {
			return nil, err
		}
		lines = append(lines, code(string(text))...)
	}
	return []byte(tight.Replace(strings.Join(lines, "\n"))), nil
}

func newFile(name string, text []byte) *file {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression)
	sum := sha256.Sum256(text)
	return &file{kind: kindOf(name), tag: hex.EncodeToString(sum[:8]), plain: text, packed: pack(text, w, w.Close)}
}

// kindOf returns the media type of a file. It does not use package mime, which asks the system.
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
