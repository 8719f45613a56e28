package guard_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/guard"
)

func TestCheckURL(t *testing.T) {
	good := []string{
		"https://a.example", "https://a.example:8443/x?y=z", "https://192.0.2.1/", "https://[2001:db8::1]:1/", "https://2fa-host/",
		"http://localhost:1/x", "http://LOCALHOST", "http://127.0.0.1", "http://127.9.9.9:80", "http://[::1]:8080/",
	}
	for _, raw := range good {
		if err := guard.CheckURL(raw); err != nil {
			t.Error(err)
		}
	}
	bad := map[string]string{
		"":                           "no valid host",
		"a.example":                  "no valid host",
		"//a.example":                "not an https URL",
		"ftp://a.example":            "not an https URL",
		"http://a.example":           "plain http",
		"http://localhost.a.example": "plain http",
		"http://127.0.0.1.a.example": "plain http",
		"http://0.0.0.0":             "plain http",
		"http://[::]":                "plain http",
		"http://128.0.0.1":           "plain http",
		"https://u@a.example":        "user name or password",
		"https://u:s3cret@a.example": "user name or password",
		"https://a.example#":         "fragment",
		"https://a.example/#x":       "fragment",
		"https://a.example:0":        "no valid host",
		"https://a.example:65536":    "no valid host",
		"https://a.example:":         "no valid host",
		"https://a.example:s3cret@":  "user name or password",
		"https://:443":               "no valid host",
		"https://a..":                "no valid host",
		"https://10.1":               "no valid host",
		"https://a_é.example":        "characters that no URL has",
		"https://a.example/\n":       "characters that no URL has",
		" https://a.example":         "characters that no URL has",
		"https://%zz":                "cannot be read",
		"https:a.example":            "no valid host",
	}
	for raw, words := range bad {
		err := guard.CheckURL(raw)
		if e, ok := errors.AsType[*guard.Error](err); !ok || e.Kind != guard.KindUsage || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want one that says %q", raw, err, words)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8010": true, "127.0.0.1": true, "127.9.9.9:1": true, "::1": true, "[::1]": true, "[::1]:8010": true,
		"::ffff:127.0.0.1": true, "[::ffff:127.0.0.1]:1": true,
		"": false, "a.example": false, "localhost.example": false, "0.0.0.0": false, "[::]:1": false, "192.0.2.1:1": false, "a.localhost": false,
	} {
		if guard.IsLoopback(host) != want {
			t.Errorf("IsLoopback(%q) is %v", host, !want)
		}
	}
}

// Nothing that can be a secret in a URL, or in a slip for one, is shown.
func TestShownURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/x/y":           "https://a.example/x/y",
		"https://a.example?s3cret":        "https://a.example",
		"https://a.example/x#s3cret":      "https://a.example/x",
		"https://a.example/x?e=s3cret@b":  "https://a.example/x",
		"https://u:s3cret@a.example/x":    "https://a.example/x",
		"https://u:s3cret@a.example":      "https://a.example",
		"https://u:s3/cret@a.example/x":   "…@a.example/x",
		"https://u/s3cret@a.example/x":    "https://u/…@a.example/x",
		"https://u:s3?cret@a.example/x":   "(a URL with an @ in it)",
		"https://example.com/@someone":    "https://example.com/…@someone",
		"u:s3cret@a.example":              "…@a.example",
		"us?s3cret":                       "us",
		"us":                              "us",
		"":                                "",
		"https://%s3cret@":                "…@",
		"https://a.example/\x1b]0;x?s3cr": "https://a.example/\x1b]0;x",
		"https://a.example/\u202e":        "https://a.example/\u202e",
	} {
		if got := guard.ShownURL(raw); got != want || strings.Contains(got, "s3cret") {
			t.Errorf("ShownURL(%q) = %q, want %q", raw, got, want)
		}
	}
}
