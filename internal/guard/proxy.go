package guard

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// proxyOf is the proxy that the environment names for a request, nil for none, as [http.ProxyFromEnvironment]
// has it. But that takes a piece of a password for the host, and goes without the proxy where a value cannot
// be parsed at all: here each value that is not the URL of a proxy is an error.
func proxyOf(req *http.Request) (*url.URL, error) {
	name, value := proxyVariable(req.URL.Scheme)
	if value == "" {
		return nil, nil
	}
	settings := httpproxy.FromEnvironment()
	if !isProxy(value) {
		value = "http://proxy.invalid" // is there to ask whether NO_PROXY names the host
	}
	settings.HTTPProxy, settings.HTTPSProxy = value, value
	proxy, err := settings.ProxyFunc()(req.URL)
	if err != nil || proxy != nil && proxy.Host == "proxy.invalid" {
		return nil, &Error{Kind: KindUsage, Err: &ProxyError{Variable: name}}
	}
	return proxy, nil
}

// A ProxyError is a variable whose value is not the URL of a proxy. It may hold a password, and is
// not shown.
type ProxyError struct{ Variable string }

// Error names the variable.
func (e *ProxyError) Error() string { return e.Variable + " is not the URL of a proxy" }

// proxyVariable is the variable that names the proxy for a scheme, in the order in which it is looked
// for.
func proxyVariable(scheme string) (name, value string) {
	name = strings.ToUpper(scheme) + "_PROXY"
	for _, name := range []string{name, strings.ToLower(name)} {
		if value := os.Getenv(name); value != "" {
			return name, value
		}
	}
	return name, ""
}

// isProxy reports whether a value is what it seems to be: a URL of a host and nothing behind it, or
// the host alone.
func isProxy(value string) bool {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	return err == nil && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Host != "" &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == "" && !strings.Contains(u.Hostname(), "@")
}
