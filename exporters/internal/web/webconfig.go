package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// errPrepared ends the toolkit's Serve before it serves.
var errPrepared = errors.New("prepared")

// protect wraps srv's handler with the protection that an exporter-toolkit web config file
// describes, and gives srv a TLS configuration if the file has one.
//
// The toolkit's only function for that is Serve, which prepares a server and then serves every path
// with the same protection. So protect passes it a listener that accepts nothing. The prepared
// server, which reads the file again for each connection and request, then serves the real
// listener, with /healthz beside it.
func protect(srv *http.Server, file string, logger *slog.Logger) error {
	open := srv.Handler
	err := web.Serve(deadListener{}, srv, &web.FlagConfig{WebConfigFile: &file}, report.Warnings(logger))
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

// hasTLS reports whether the toolkit gave srv certificates. A TLSConfig is not enough: net/http
// adds an empty one for HTTP/2.
func hasTLS(srv *http.Server) bool {
	return srv.TLSConfig != nil && srv.TLSConfig.GetConfigForClient != nil
}

// A deadListener accepts nothing.
type deadListener struct{}

func (deadListener) Accept() (net.Conn, error) { return nil, errPrepared }
func (deadListener) Close() error              { return nil }
func (deadListener) Addr() net.Addr            { return &net.TCPAddr{} }

// deferClientCert moves the check that a client certificate is present from the handshake, where
// the path is not known yet, to the handler, so that /healthz needs none. A certificate that a
// client sends is still verified in the handshake.
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
			http.Error(w, "a client certificate is required", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// relax makes c's client certificate optional, and reports whether it was required.
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

// connState passes a result of the handshake to the handler. The handshake ends before the first
// request begins.
type connState struct{ certRequired bool }
