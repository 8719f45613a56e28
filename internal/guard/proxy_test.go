package guard

import (
	"errors"
	"net/http"
	"testing"
)

func TestIsProxy(t *testing.T) {
	for value, want := range map[string]bool{
		"http://proxy.example:3128": true, "proxy.example:3128": true, "https://proxy.example/": true, "socks5://[::1]:1080": true,
		"http://user:p%40ss%231@proxy.example": true, "user:word@proxy.example:8080": true,
		"http://user:p@ss@proxy.example":   true, // the last @ counts, as in other programs
		"http://user:p@ss#1@proxy.example": false, "http://user:p/ss@proxy.example": false, "http://user:p?ss@proxy.example:1": false,
		"user:p#ss@proxy.example": false, "http://user:p%zz@proxy.example": false, "http://": false,
		"http://[::1": false, "http://proxy.example:port": false, "ftp://proxy.example": false, "\x00": false, "off": true,
	} {
		if got := isProxy(value); got != want {
			t.Errorf("%s: %t", value, got)
		}
	}
}

// A value that is not the URL of a proxy is an error wherever a proxy would have been used, and nowhere else.
func TestProxyOf(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy", "REQUEST_METHOD"} {
		t.Setenv(name, "")
	}
	for _, c := range []struct{ name, value, noProxy, url, want string }{
		{"HTTPS_PROXY", "http://proxy.example:3128", "", "https://api.example/", "http://proxy.example:3128"},
		{"https_proxy", "proxy.example:3128", "", "https://api.example/", "http://proxy.example:3128"},
		{"HTTP_PROXY", "socks5://proxy.example", "", "http://api.example/", "socks5://proxy.example"},
		{"HTTPS_PROXY", "http://u:p%zz@proxy.example", "", "https://api.example/", "HTTPS_PROXY is not the URL of a proxy"},
		{"https_proxy", "http://[::1", "", "https://api.example/", "https_proxy is not the URL of a proxy"},
		{"http_proxy", "http://proxy.example:port", "", "http://api.example/", "http_proxy is not the URL of a proxy"},
		{"HTTP_PROXY", "ftp://proxy.example", "", "http://api.example/", "HTTP_PROXY is not the URL of a proxy"},
		{"HTTPS_PROXY", "http://[::1", "api.example", "https://api.example/", ""},
		{"HTTPS_PROXY", "http://[::1", "", "http://api.example/", ""},
		{"HTTP_PROXY", "http://[::1", "", "http://127.0.0.1:8000/", ""},
		{"HTTP_PROXY", "http://[::1", "", "http://localhost:8000/", ""},
	} {
		t.Run(c.name+"="+c.value+" "+c.url, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			t.Setenv("NO_PROXY", c.noProxy)
			req, err := http.NewRequest(http.MethodGet, c.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			proxy, err := proxyOf(req)
			switch asked, is := errors.AsType[*ProxyError](err); {
			case is:
				got = asked.Error()
			case err != nil:
				t.Fatal(err)
			case proxy != nil:
				got = proxy.String()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
