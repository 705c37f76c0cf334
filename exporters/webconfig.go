package exporters

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/exporter-toolkit/web"
)

// errPrepared ends web.Serve before it serves.
var errPrepared = errors.New("prepared")

// protect puts srv's handler behind what an exporter-toolkit web config file
// asks for, and gives srv a TLS configuration if the file does.
//
// The toolkit has no function for that but web.Serve, which prepares a server
// and then serves everything under one protection. So it gets a listener that
// accepts nothing; what it prepared, which reads the file again for every
// connection and request, is then served from the real listener, with /healthz
// beside it.
func protect(srv *http.Server, file string, logger *slog.Logger) error {
	open := srv.Handler
	err := web.Serve(deadListener{}, srv, &web.FlagConfig{WebConfigFile: &file}, warnings(logger))
	switch {
	case !errors.Is(err, errPrepared):
		return err
	case srv.Handler == open:
		return errors.New("the toolkit left the metrics unprotected")
	}
	if hasTLS(srv) {
		deferClientCert(srv)
	}
	return nil
}

// hasTLS tells whether the toolkit gave srv certificates. That there is a
// TLSConfig doesn't: net/http leaves an empty one behind when it sets HTTP/2 up.
func hasTLS(srv *http.Server) bool {
	return srv.TLSConfig != nil && srv.TLSConfig.GetConfigForClient != nil
}

// A deadListener accepts nothing.
type deadListener struct{}

func (deadListener) Accept() (net.Conn, error) { return nil, errPrepared }
func (deadListener) Close() error              { return nil }
func (deadListener) Addr() net.Addr            { return &net.TCPAddr{} }

// deferClientCert moves the demand for a client certificate from the
// handshake, where the path isn't known yet, to the handler, so that /healthz
// can do without. One that is shown is still checked in the handshake.
func deferClientCert(srv *http.Server) {
	reload := srv.TLSConfig.GetConfigForClient
	srv.TLSConfig.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c, err := reload(hello)
		if err != nil {
			return nil, err
		}
		if conn, ok := hello.Context().Value(connKey{}).(*connState); ok {
			conn.certRequired = relax(c)
		}
		return c, nil
	}
	srv.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, &connState{})
	}
	next := srv.Handler
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(connKey{}).(*connState)
		if !ok || r.TLS == nil || conn.certRequired && len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "a client certificate is needed", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// relax makes the client certificate that c demands a voluntary one, and tells
// whether it demanded one.
func relax(c *tls.Config) bool {
	switch c.ClientAuth {
	case tls.RequireAnyClientCert:
		c.ClientAuth = tls.RequestClientCert
	case tls.RequireAndVerifyClientCert:
		c.ClientAuth = tls.VerifyClientCertIfGiven
	default:
		return false
	}
	if verify := c.VerifyPeerCertificate; verify != nil {
		c.VerifyPeerCertificate = func(certs [][]byte, chains [][]*x509.Certificate) error {
			if len(certs) == 0 {
				return nil
			}
			return verify(certs, chains)
		}
	}
	return true
}

// connKey is the context key of a connection's *connState.
type connKey struct{}

// connState is what the handshake leaves for the handler. The handshake ends
// before the first request begins.
type connState struct{ certRequired bool }
