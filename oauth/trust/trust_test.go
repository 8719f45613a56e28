package trust_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/google/go-cmp/cmp"
)

func TestTrustAllows(t *testing.T) {
	policy := trust.Policy{Known: []string{"api.example.com", "other.example.com:8443"}}
	for host, want := range map[string]bool{
		"api.example.com":        true,
		"api.example.com:8443":   false, // another port is another server
		"other.example.com:8443": true,
		"other.example.com":      false,
		"example.com":            false,
		"evil.api.example.com":   false,
		"api.example.com.":       false,
		"api.example.com.evil":   false,
		"localhost":              true,
		"localhost:8010":         true,
		"127.0.0.1":              true,
		"127.8.9.10:1":           true,
		"[::1]":                  true,
		"[::1]:8010":             true,
		"0.0.0.0:80":             false,
		"10.0.0.1":               false,
		"localhost.evil.com":     false,
		"localhost.localdomain":  false,
		"[fe80::1]:80":           false,
		"":                       false,
	} {
		if got := policy.Allows(host); got != want {
			t.Errorf("Allows(%q) = %v, want %v", host, got, want)
		}
	}
}

func TestTrustCheckNamesEveryHost(t *testing.T) {
	policy := trust.Policy{Known: []string{"good.example.com"}}
	err := policy.Check([]string{"bad.example.com", "good.example.com", "localhost:1", "worse.example.com", "bad.example.com"}, "scopes.yaml")
	var untrusted *trust.UntrustedHostError
	if !errors.As(err, &untrusted) {
		t.Fatalf("err = %v", err)
	}
	want := &trust.UntrustedHostError{Hosts: []string{"bad.example.com", "worse.example.com"}, NamedBy: "scopes.yaml"}
	if diff := cmp.Diff(want, untrusted); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{`"bad.example.com"`, `"worse.example.com"`, "scopes.yaml"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
	if err := policy.Check([]string{"good.example.com", "127.0.0.1:9"}, ""); err != nil {
		t.Errorf("trusted hosts: %v", err)
	}
}

// countingTransport answers everything with 200, and counts.
type countingTransport struct{ sent atomic.Int32 }

func (c *countingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}

func TestGuardSendsNothingOutsideTheTrust(t *testing.T) {
	policy := trust.Policy{Known: []string{"good.example.com"}}
	for _, c := range []struct {
		url  string
		sent int32
	}{
		{"https://good.example.com/x", 1},
		{"https://GOOD.example.com/x", 1},
		{"http://127.0.0.1:99/x", 1},
		{"https://bad.example.com/x", 0},
		{"https://good.example.com:444/x", 0},
		{"http://good.example.com/x", 0}, // in the clear
		{"https://user:pw@good.example.com/x", 0},
	} {
		var next countingTransport
		client := &http.Client{Transport: policy.Guard(&next)}
		body := &closing{Reader: strings.NewReader("token=secret")}
		req, err := http.NewRequest(http.MethodPost, c.url, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if next.sent.Load() != c.sent {
			t.Errorf("%s: %d requests sent, want %d", c.url, next.sent.Load(), c.sent)
		}
		if (err == nil) != (c.sent == 1) {
			t.Errorf("%s: err = %v", c.url, err)
		}
		if err == nil {
			resp.Body.Close()
		} else if !body.closed {
			t.Errorf("%s: the body of a refused request was left open", c.url)
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestGuardErrorsAreTyped(t *testing.T) {
	client := &http.Client{Transport: trust.Policy{}.Guard(&countingTransport{})}
	_, err := client.Get("https://bad.example.com/")
	if untrusted, ok := errors.AsType[*trust.UntrustedHostError](err); !ok || untrusted.Hosts[0] != "bad.example.com" {
		t.Errorf("err = %v", err)
	}
	client = &http.Client{Transport: trust.Policy{Known: []string{"good.example.com"}}.Guard(&countingTransport{})}
	_, err = client.Get("http://good.example.com/")
	if _, ok := errors.AsType[*guard.Error](err); !ok {
		t.Errorf("err = %v", err)
	}
}

func TestGuardStopsARedirect(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("https://bad.example.com/steal", http.StatusTemporaryRedirect))
	defer server.Close()
	client := &http.Client{Transport: trust.Policy{}.Guard(server.Client().Transport)}
	_, err := client.Post(server.URL, "text/plain", strings.NewReader("token=secret"))
	if _, ok := errors.AsType[*trust.UntrustedHostError](err); !ok {
		t.Errorf("err = %v", err)
	}
}

func TestTrustFile(t *testing.T) {
	file := trust.File{Path: filepath.Join(t.TempDir(), "ambit", "hosts")}
	if hosts, err := file.Load(); err != nil || len(hosts) != 0 {
		t.Fatalf("without a file: %v, %v", hosts, err)
	}
	if err := file.Add("one.example.com", "two.example.com:8443"); err != nil {
		t.Fatal(err)
	}
	text := "# mine\n" + read(t, file.Path) + "\n  three.example.com  "
	if err := os.WriteFile(file.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := file.Add("one.example.com", "[::2]:99"); err != nil {
		t.Fatal(err)
	}
	hosts, err := file.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one.example.com", "two.example.com:8443", "three.example.com", "[::2]:99"}, hosts); diff != "" {
		t.Error(diff)
	}
	if got := read(t, file.Path); !strings.HasPrefix(got, text) {
		t.Errorf("what people wrote did not stay:\n%s", got)
	}
	if info, err := os.Stat(file.Path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file.Path)); len(entries) != 1 {
		t.Errorf("something was left beside the file: %v", entries)
	}
}

func TestTrustFileRefuses(t *testing.T) {
	file := trust.File{Path: filepath.Join(t.TempDir(), "hosts")}
	for _, host := range []string{"", "two hosts", "a\nb", "https://example.com", "# comment", "path/y"} {
		if err := file.Add(host); err == nil {
			t.Errorf("Add(%q) was taken", host)
		}
	}
	if _, err := os.Stat(file.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused host left a file: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.WriteFile(file.Path, []byte("evil.example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file.Path, 0o666); err != nil { // others could add a host of theirs
		t.Fatal(err)
	}
	hosts, err := file.Load()
	if _, ok := errors.AsType[*files.UnsafeError](err); !ok || hosts != nil {
		t.Errorf("a file that others can write to: %v, %v", hosts, err)
	}
}

func TestParseHost(t *testing.T) {
	for text, want := range map[string]string{
		"Example.com": "example.com", " example.com:8443 ": "example.com:8443", "https://example.com/a?b": "example.com",
		"http://example.com:80": "example.com", "[::1]:9": "[::1]:9",
		"": "", "https://": "", "a b": "", "user@example.com": "", "ftp://example.com": "",
	} {
		got, err := trust.ParseHost(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseHost(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

// A pair is two hosts, and no URL that has a = in it.
func TestParsePair(t *testing.T) {
	for text, want := range map[string]struct {
		pair    [2]string
		ok, bad bool
	}{
		"A.example=b.example:8443": {[2]string{"a.example", "b.example:8443"}, true, false},
		"a.example":                {},
		"https://a.example/?b=c":   {},
		"a.example=":               {[2]string{"a.example", ""}, true, true},
		"=a.example":               {[2]string{}, true, true},
		"a.example=user@b.example": {[2]string{"a.example", ""}, true, true},
	} {
		pair, ok, err := trust.ParsePair(text)
		if pair != want.pair || ok != want.ok || (err != nil) != want.bad {
			t.Errorf("ParsePair(%q) = %q, %v, %v, want %+v", text, pair, ok, err, want)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
