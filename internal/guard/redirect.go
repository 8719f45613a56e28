package guard

import (
	"errors"
	"net/http"

	"github.com/ambit-auth/ambit/internal/text"
)

// withPolicy is a copy of base (nil for Go's default client) with the redirect policy
// put before base's own, and without cookies. What is bound is redirected nowhere.
func withPolicy(base *http.Client, bound bool) *http.Client {
	var client http.Client
	if base != nil {
		client = *base
	}
	theirs := client.CheckRedirect
	client.Jar = nil
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if bound {
			return refusedRedirect(via[0], errCarries)
		}
		if err := checkRedirect(req, via); err != nil || theirs == nil {
			return err
		}
		return theirs(req, via)
	}
	return &client
}

// checkRedirect is the policy of [NewClient].
func checkRedirect(req *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	if err := redirectProblem(req, first, last, len(via)); err != nil {
		return refusedRedirect(first, err)
	}
	return nil
}

func refusedRedirect(first *http.Request, err error) error {
	return &Error{Kind: KindRedirect, URL: ShownURL(first.URL.String()), Host: first.URL.Host, Err: err}
}

var errCarries = errors.New("the request carries a credential or a body, which may be sent nowhere else")

func redirectProblem(req, first, last *http.Request, count int) error {
	if carriesSomething(first) {
		return errCarries
	}
	if count > maxRedirects {
		return errors.New("there were more than three redirects")
	}
	if last.URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("it leads from https to " + text.Quote(req.URL.Scheme))
	}
	if _, err := parseLink(req.URL.String()); err != nil {
		return errors.New("the URL it leads to " + err.Error())
	}
	if PointsHere(req.URL.Hostname()) && !PointsHere(first.URL.Hostname()) {
		return errors.New("it leads to this machine, though the server is elsewhere")
	}
	return nil
}

// carriesSomething looks at the request as it was first sent: Go itself drops
// the body at a 302, and the Authorization field (but not X-Api-Key) at another host.
func carriesSomething(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody {
		return true
	}
	if req.Method != "" && req.Method != http.MethodGet && req.Method != http.MethodHead {
		return true
	}
	for _, field := range []string{"Authorization", "X-Api-Key", "Cookie"} {
		if req.Header.Get(field) != "" {
			return true
		}
	}
	return false
}
