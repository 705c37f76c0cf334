package exportertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An Authority issues certificates for tests.
type Authority struct {
	Dir  string // of its files
	File string // its own certificate in PEM
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	Pool *x509.CertPool // with its own certificate

	n int64
}

// NewAuthority makes an authority.
func NewAuthority(t TB) *Authority {
	t.Helper()
	a := &Authority{Dir: t.TempDir(), Pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, key := sign(t, template, nil, nil)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.key = key
	a.Pool.AddCert(a.cert)
	a.File = writePEM(t, a.Dir, "ca.pem", "CERTIFICATE", der)
	return a
}

// Issue writes a certificate for name and its key.
func (a *Authority) Issue(t TB, name string) (certFile, keyFile string) {
	t.Helper()
	a.n++
	der, key := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1 + a.n), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, a.key)
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, a.Dir, name+".pem", "CERTIFICATE", der), writePEM(t, a.Dir, name+".key", "EC PRIVATE KEY", keyDER)
}

// Pair issues a certificate for name and loads it.
func (a *Authority) Pair(t TB, name string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.Issue(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// sign makes a key and signs its certificate, by itself if there is no parent.
func sign(t TB, template, parent *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

func writePEM(t TB, dir, name, kind string, der []byte) string {
	t.Helper()
	return WriteFile(t, dir, name, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

// WriteFile writes a file that only its owner can read, and returns its path.
func WriteFile(t TB, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
