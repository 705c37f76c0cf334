package livepage

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"sync"
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

// files are the files of the page by the path that they are served at.
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
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		_, _ = w.Write(text)
		_ = w.Close()
		sum := sha256.Sum256(text)
		f := &file{kind: kindOf(name), tag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: text, packed: packed.Bytes()}
		at := "/live/" + name[len("page/"):]
		if name == "page/index.html" {
			at = "/"
		}
		all[at] = f
		return nil
	})
	return all
}

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
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "text/plain; charset=utf-8"
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	text, tag := f.plain, f.tag
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		text, tag = f.packed, f.tag[:len(f.tag)-1]+`-gzip"`
	}
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}
