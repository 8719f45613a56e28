package guard

import (
	"net/http"
	"net/url"
	"os"
	"strings"
)

// proxyOf is [http.ProxyFromEnvironment], but for a value that cannot be read: that takes a piece of a
// password for the host, and asks the name servers for it.
func proxyOf(req *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(req)
	if proxy == nil && err == nil {
		return nil, nil
	}
	name, value := proxyVariable(req.URL.Scheme)
	if err == nil && isProxy(value) {
		return proxy, nil
	}
	return nil, &Error{Kind: KindUsage, Err: &ProxyError{Variable: name}}
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
	return err == nil && u.Host != "" && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == "" && !strings.Contains(u.Hostname(), "@")
}
