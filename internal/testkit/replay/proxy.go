package replay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// A proxy takes each connection that it is asked for (RFC 9110 §9.3.6), and has one service behind
// every host.
type proxy struct {
	listener net.Listener
	outer    http.Server // CONNECT, and requests without TLS
	inner    http.Server // what comes through a tunnel
	tunnels  tunnels
}

func startProxy(s *Service) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	silent := log.New(io.Discard, "", 0)
	p := &proxy{listener: l, tunnels: tunnels{conns: make(chan net.Conn), done: make(chan struct{}), addr: l.Addr()}}
	p.inner = http.Server{ErrorLog: silent, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve("https", w, r) })}
	p.outer = http.Server{ErrorLog: silent, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			s.serve("http", w, r)
			return
		}
		p.connect(w)
	})}
	go func() { _ = p.inner.Serve(&p.tunnels) }() // ends with close
	go func() { _ = p.outer.Serve(l) }()
	return p, nil
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

func (p *proxy) close() {
	_ = p.outer.Close()
	_ = p.inner.Close()
}

func (p *proxy) connect(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		conn.Close()
		return
	}
	p.tunnels.add(tls.Server(conn, &tls.Config{GetCertificate: certificateFor, MinVersion: tls.VersionTLS12}))
}

// tunnels are the connections through a proxy, as a listener.
type tunnels struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	addr  net.Addr
}

func (t *tunnels) add(c net.Conn) {
	select {
	case t.conns <- c:
	case <-t.done:
		c.Close()
	}
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.done:
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.once.Do(func() { close(t.done) })
	return nil
}

func (t *tunnels) Addr() net.Addr { return t.addr }

// An authority signs the certificates of a process's services.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	mu          sync.Mutex
	of          map[string]*tls.Certificate // by host
}

var ours = sync.OnceValue(func() *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	a := &authority{key: key, of: make(map[string]*tls.Certificate)}
	a.certificate = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "replay"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
})

// CA is the authority of every service's certificates, as PEM.
func CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ours().certificate.Raw})
}

// lifetime is longer than any run of tests.
const lifetime = 24 * time.Hour

func (a *authority) sign(c *x509.Certificate) *x509.Certificate {
	now := time.Now()
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(now.UnixNano()), now.Add(-time.Hour), now.Add(lifetime)
	parent := a.certificate
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, a.key.Public(), a.key)
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil {
		panic(err) // what is signed stands above
	}
	return c
}

func certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a := ours()
	a.mu.Lock()
	defer a.mu.Unlock()
	if have := a.of[hello.ServerName]; have != nil {
		return have, nil
	}
	c := a.sign(&x509.Certificate{DNSNames: []string{hello.ServerName}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	a.of[hello.ServerName] = &tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: a.key}
	return a.of[hello.ServerName], nil
}
