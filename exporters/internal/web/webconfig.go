package web

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/stagemeter/stagemeter/exporters/internal/files"
)

// A guard is a web config file of Prometheus's exporter-toolkit with the files that it names. They
// are read again for each connection and request. While they cannot be used, the last good ones
// hold. It is safe for concurrent use.
type guard struct {
	path   string
	logger *slog.Logger

	mu     sync.Mutex
	good   *protection
	broken bool // the files cannot be used; the log has a line about it
	tried  tried
}

// tried is the last attempt that failed, which is not repeated before a file changes.
type tried struct {
	paths    []string
	contents [][]byte
}

// current returns the protection that holds now.
func (g *guard) current() *protection {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !equal(read(g.good.paths), g.good.contents) {
		if g.broken && g.tried.paths != nil && equal(read(g.tried.paths), g.tried.contents) {
			return g.good
		}
		paths := append(named(g.path), g.good.paths...)
		g.tried = tried{paths: paths, contents: read(paths)} // before the attempt: a later change is another one
		next, err := readProtection(g.path)
		if err == nil {
			err = next.replace(g.good)
		}
		if err != nil {
			if !g.broken {
				g.logger.Warn("the web config file cannot be used any more; what it said before holds", "file", g.path, "error", err)
			}
			if errors.Is(err, errChanges) {
				g.tried = tried{}
			}
			g.broken = true
			return g.good
		}
		g.good = next
	}
	if g.broken {
		g.logger.Info("the web config file can be used again", "file", g.path)
	}
	g.broken = false
	return g.good
}

// read returns the contents of files, nil for one that cannot be read.
func read(paths []string) (contents [][]byte) {
	for _, p := range paths {
		content, err := files.Read(p)
		if err != nil {
			content = nil
		}
		contents = append(contents, content)
	}
	return contents
}

func equal(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// protect puts the protection of a web config file before srv's handler, and gives srv a TLS
// configuration if the file has one.
//
// The toolkit's own server would read the file too, but it refuses every handshake and request while
// the file cannot be used, and resumes the sessions of clients that have lost their rights.
func protect(srv *http.Server, path string, logger *slog.Logger) error {
	first, err := readProtection(path)
	if err != nil {
		return err
	}
	g := &guard{path: path, logger: logger, good: first}
	if first.tls != nil {
		srv.TLSConfig = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c := g.current().tls
			if srv.TLSNextProto["h2"] == nil { // ServeTLS has set it, unless somebody has turned HTTP/2 off
				c = c.Clone()
				c.NextProtos = []string{"http/1.1"}
			}
			return c, nil
		}}
		srv.Protocols = new(http.Protocols)
		srv.Protocols.SetHTTP1(true)
		srv.Protocols.SetHTTP2(first.file.HTTPConfig.HTTP2)
	}
	next := srv.Handler
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.current().admit(w, r) {
			next.ServeHTTP(w, r)
		}
	})
	return nil
}

// hasTLS reports whether protect gave srv certificates. A TLSConfig is not enough: net/http adds an
// empty one for HTTP/2.
func hasTLS(srv *http.Server) bool {
	return srv.TLSConfig != nil && srv.TLSConfig.GetConfigForClient != nil
}

// Errors of a file that was changed.
var (
	errChanges   = errors.New("it changes while it is being read")
	errBlank     = errors.New("it says nothing; to remove all protection, restart the program")
	errTLSChange = errors.New("TLS is turned on and off only by a restart")
)
