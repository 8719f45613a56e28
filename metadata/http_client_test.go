package metadata_test

import (
	"context"
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
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
)

// certificate makes a self-signed one for 127.0.0.1.
func certificate(t *testing.T, from, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"issuer.example"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// newCertServer is a TLS server with that certificate, and a CA file for it.
func newCertServer(t *testing.T, cert tls.Certificate) (*server, string) {
	t.Helper()
	s := start(t, func(h http.Handler) *httptest.Server {
		plain := httptest.NewUnstartedServer(h)
		plain.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		plain.EnableHTTP2 = true
		plain.Config.ErrorLog = log.New(io.Discard, "", 0)
		plain.StartTLS()
		return plain
	})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, file
}

func client(t *testing.T, caFile string) *http.Client {
	t.Helper()
	c, err := guard.NewClient(guard.Options{CAFile: caFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestCertificates(t *testing.T) {
	now := time.Now()
	good := certificate(t, now.Add(-time.Hour), now.Add(time.Hour))
	old := certificate(t, now.Add(-2*time.Hour), now.Add(-time.Hour))
	tests := map[string]struct {
		cert  tls.Certificate
		ca    bool   // the CA file is given
		host  string // in place of 127.0.0.1
		words string // of the error; "" for none
	}{
		"trusted":            {good, true, "", ""},
		"unknown authority":  {good, false, "", "certificate signed by unknown authority"},
		"expired":            {old, true, "", "certificate has expired"},
		"for another host":   {good, true, "localhost", "certificate is valid for issuer.example, not localhost"},
		"expired, untrusted": {old, false, "", "certificate has expired"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, caFile := newCertServer(t, test.cert)
			issuer := s.URL
			if test.host != "" {
				issuer = strings.Replace(issuer, "127.0.0.1", test.host, 1)
			}
			if !test.ca {
				caFile = ""
			}
			s.on(oauthPath, sends(serverFields(issuer).json(t)))
			c := metadata.Client{HTTP: client(t, caFile)}
			_, err := c.AuthorizationServer(context.Background(), issuer)
			if test.words == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := wantError(t, err, guard.KindTLS, test.words, strings.TrimPrefix(issuer, "https://")); strings.Contains(e.Error(), "--") {
				t.Errorf("a flag is a program's to name: %v", e)
			}
		})
	}
}

// A certificate that is not trusted may be someone in between: no falling back.
func TestCertificateProblemIsNotCoveredUp(t *testing.T) {
	now := time.Now()
	s, caFile := newCertServer(t, certificate(t, now.Add(-time.Hour), now.Add(time.Hour)))
	s.on(oauthPath, sends(serverFields(s.URL).json(t), "Cache-Control", "max-age=60"))
	c := metadata.Client{HTTP: client(t, caFile), CacheDir: t.TempDir()}
	if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
		t.Fatal(err)
	}
	c.HTTP = client(t, "")
	if as, err := c.AuthorizationServer(context.Background(), s.URL); err != nil || as.Source.From != metadata.FromCache {
		t.Errorf("trust changes what is fresh: %v", err)
	}
	c.Now = func() time.Time { return now.Add(time.Hour) }
	_, err := c.AuthorizationServer(context.Background(), s.URL)
	if e := wantError(t, err, guard.KindTLS); e.Temporary() {
		t.Error("said to be temporary")
	}
}

func TestBadCAFiles(t *testing.T) {
	directory := t.TempDir()
	empty, huge := filepath.Join(directory, "empty"), filepath.Join(directory, "huge")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(huge, make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string]string{filepath.Join(directory, "none"): "no such file", directory: "not a regular file", empty: "no PEM certificate", huge: "larger than"} {
		_, err := guard.NewClient(guard.Options{CAFile: path})
		wantError(t, err, guard.KindUsage, path, words)
	}
}

// The CA file adds to the authorities of the system, which are read once per
// process: the inner one has another system.
func TestCAFileIsAdded(t *testing.T) {
	const inner = "AMBIT_TEST_INNER_CA"
	if value := os.Getenv(inner); value != "" {
		caFile, urls, _ := strings.Cut(value, " ")
		for url := range strings.SplitSeq(urls, " ") {
			resp, err := client(t, caFile).Get(url)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		return
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the system's authorities cannot be set by a variable here")
	}
	now := time.Now()
	known, system := newCertServer(t, certificate(t, now.Add(-time.Hour), now.Add(time.Hour)))
	added, caFile := newCertServer(t, certificate(t, now.Add(-time.Hour), now.Add(time.Hour)))
	cmd := exec.Command(os.Args[0], "-test.run=^TestCAFileIsAdded$")
	cmd.Env = append(os.Environ(), inner+"="+caFile+" "+known.URL+" "+added.URL, "SSL_CERT_FILE="+system)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if len(known.requests()) != 1 || len(added.requests()) != 1 {
		t.Error("not both servers were asked")
	}
}

func TestHTTP2(t *testing.T) {
	now := time.Now()
	s, caFile := newCertServer(t, certificate(t, now.Add(-time.Hour), now.Add(time.Hour)))
	s.on("/", answers(200))
	resp, err := client(t, caFile).Get(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("spoke %s", resp.Proto)
	}
}

// remote is a client for which issuer.example is the server s: a server that is,
// by its name, not on this machine.
func remote(t *testing.T, s *server, caFile string) *http.Client {
	t.Helper()
	transport, err := guard.NewTransport(guard.Options{CAFile: caFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	return &http.Client{Transport: transport}
}

func TestRemoteServer(t *testing.T) {
	const issuer = "https://issuer.example"
	now := time.Now()
	s, caFile := newCertServer(t, certificate(t, now.Add(-time.Hour), now.Add(time.Hour)))
	local := newServer(t)
	local.on("/", sends(serverFields(issuer).json(t)))
	c := metadata.Client{HTTP: remote(t, s, caFile)}

	s.on(oauthPath, sends(serverFields(issuer).json(t)))
	if _, err := c.AuthorizationServer(context.Background(), issuer); err != nil {
		t.Fatal(err)
	}
	s.on(oauthPath, sends(serverFields(issuer).with(fields{"token_endpoint": local.URL}).json(t)))
	_, err := c.AuthorizationServer(context.Background(), issuer)
	wantError(t, err, guard.KindInvalid, "token_endpoint", "address of this machine")

	for target, words := range map[string]string{
		local.URL + "/":          `from https to "http"`,
		"http://issuer.example/": `from https to "http"`,
		strings.Replace(local.URL, "http:", "https:", 1):    "to this machine",
		strings.Replace(local.URL, "127.0.0.1", "[::1]", 1): `from https to "http"`,
	} {
		s.on(oauthPath, redirects(target))
		_, err := c.AuthorizationServer(context.Background(), issuer)
		wantError(t, err, guard.KindNotFound, "a refused redirect", words)
	}
	if asked := local.requests(); asked != nil {
		t.Errorf("led to %q", asked)
	}
}

// A credential or a body goes to the host that it was meant for and no further.
func TestNoRedirectWithCredentialOrBody(t *testing.T) {
	tests := map[string]func(r *http.Request){
		"authorization": func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret") },
		"api key":       func(r *http.Request) { r.Header.Set("X-Api-Key", "secret") },
		"cookie":        func(r *http.Request) { r.Header.Set("Cookie", "a=b") },
		"body":          func(r *http.Request) { r.Method = "POST"; setBody(r) },
		"GET with body": setBody,
		"DELETE":        func(r *http.Request) { r.Method = "DELETE" },
	}
	for name, prepare := range tests {
		for _, status := range []int{301, 302, 303, 307, 308} {
			s := newServer(t)
			s.on("/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/target", status) })
			req, err := http.NewRequest("GET", s.URL+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			prepare(req)
			method := req.Method
			resp, err := client(t, "").Do(req)
			if err == nil {
				resp.Body.Close()
			}
			wantError(t, err, guard.KindRedirect, "credential or a body")
			wantError(t, guard.RequestError(req, err), guard.KindRedirect)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%q shows a secret", err)
			}
			if diff := cmp.Diff([]string{method + " /"}, s.requests()); diff != "" {
				t.Errorf("%s, %d: %s", name, status, diff)
			}
		}
	}
}

// setBody gives a body that Go could send again at a 307.
func setBody(r *http.Request) {
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("token=secret")), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len("token=secret"))
}

func TestPlainRedirectsAreFollowed(t *testing.T) {
	s := newServer(t)
	s.on("/", redirects("/target"))
	s.on("/target", sends([]byte("there")))
	req, err := http.NewRequest(http.MethodGet, s.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&guard.Requester{HTTP: client(t, "")}).Do(req, 5)
	if err != nil || string(response.Body) != "there" {
		t.Errorf("%+v, %v", response, err)
	}
}

func TestCallersClientIsNotChanged(t *testing.T) {
	s := newServer(t)
	s.on(oauthPath, redirects("/login"))
	var seen int
	mine := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { seen++; return http.ErrUseLastResponse }}
	c := metadata.Client{HTTP: mine}
	_, err := c.AuthorizationServer(context.Background(), s.URL)
	wantError(t, err, guard.KindStatus, "302")
	if seen != 1 || mine.Transport != nil || mine.Timeout != 0 || mine.Jar != nil {
		t.Errorf("asked %d times, client %+v", seen, mine)
	}
}

// net/http reads the proxy variables once per process, so this test is two: the
// outer one is the proxy, the inner one, a process of its own, goes through it.
func TestProxyVariables(t *testing.T) {
	const inner = "AMBIT_TEST_INNER_PROXY"
	if local := os.Getenv(inner); local != "" {
		c := metadata.Client{HTTP: client(t, "")}
		if _, err := c.AuthorizationServer(context.Background(), local); err != nil {
			t.Errorf("loopback through the proxy: %v", err)
		}
		_, err := c.AuthorizationServer(context.Background(), "https://issuer.example")
		t.Logf("said: %v", err)
		return
	}
	proxy := start(t, newPlain)
	proxy.on("", answers(http.StatusTeapot)) // the path of a CONNECT
	s := newServer(t)
	s.on(oauthPath, sends(serverFields(s.URL).json(t)))
	proxyURL := strings.Replace(proxy.URL, "http://", "http://user:pa55@", 1)
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxyVariables$", "-test.v")
	cmd.Env = append(os.Environ(), inner+"="+s.URL, "HTTPS_PROXY="+proxyURL, "HTTP_PROXY="+proxyURL, "https_proxy=", "http_proxy=", "NO_PROXY=", "no_proxy=")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "pa55") {
		t.Errorf("%v, a password is shown, or both:\n%s", err, out)
	}
	if !strings.Contains(string(out), "the proxy "+strings.TrimPrefix(proxy.URL, "http://")+" answered 418") {
		t.Errorf("the proxy is not named:\n%s", out)
	}
	if diff := cmp.Diff([]string{"CONNECT issuer.example:443"}, proxy.requests()); diff != "" {
		t.Errorf("%s\n%s", diff, out)
	}
}

func newPlain(h http.Handler) *httptest.Server { return httptest.NewServer(h) }
