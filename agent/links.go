package agent

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// mapLinks makes of the URLs in a response's header that point below one of the server's bases
// those of the proxy: where a redirect leads (RFC 9110 §10.2.2), what the content is
// (§8.7), links (RFC 8288 §3) and a challenge's resource_metadata (RFC 9728 §5.1). Otherwise the
// child would go on without the credential. A redirect that leads elsewhere passes as it came,
// and is told.
func (x *exchange) mapLinks(resp *http.Response) {
	h := resp.Header
	if h["Location"] == nil && h["Content-Location"] == nil && h["Link"] == nil && h["Www-Authenticate"] == nil { // as most
		return
	}
	from := x.route.to(x.rest)
	if isRedirect(resp.StatusCode) && h["Location"] != nil {
		x.tellElsewhere(from, h.Get("Location"))
	}
	for _, name := range []string{"Location", "Content-Location"} {
		for i, value := range h[name] {
			h[name][i] = x.mapped(from, value)
		}
	}
	for i, value := range h["Link"] {
		h["Link"][i] = mapTargets(value, func(target string) string { return x.mapped(from, target) })
	}
	if h["Www-Authenticate"] != nil {
		for _, challenge := range metadata.ParseChallenges(h) {
			document := challenge.Params["resource_metadata"]
			if here := x.mapped(from, document); here != document {
				for i, value := range h["Www-Authenticate"] {
					h["Www-Authenticate"][i] = strings.ReplaceAll(value, `"`+document+`"`, `"`+here+`"`)
				}
			}
		}
	}
}

// isRedirect reports whether a client follows Location (RFC 9110 §15.4).
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// mapped is a reference as the child is to follow it. A relative one stays, for below a base
// the proxy's paths are those of the server.
func (x *exchange) mapped(from *url.URL, reference string) string {
	to, err := url.Parse(reference)
	if err != nil || to.Host == "" && !strings.HasPrefix(to.Path, "/") {
		return reference
	}
	u := from.ResolveReference(to)
	base, below, ok := x.p.places.Locate(u)
	if !ok {
		return reference
	}
	here := "/" + x.p.secret + "/" + base + below
	if to.Host != "" {
		here = "http://" + x.host + here
	}
	if u.RawQuery != "" || u.ForceQuery {
		here += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		here += "#" + u.EscapedFragment()
	}
	return here
}

// mapTargets maps the targets of a Link field, which stand in angle brackets.
func mapTargets(field string, mapped func(string) string) string {
	var out strings.Builder
	quoted := false
	for at := 0; at < len(field); at++ {
		switch c := field[at]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\' && at+1 < len(field):
			out.WriteByte(c)
			at++
		case !quoted && c == '<':
			if target, _, closed := strings.Cut(field[at+1:], ">"); closed {
				out.WriteString("<" + mapped(target))
				at += len(target)
				continue
			}
		}
		out.WriteByte(field[at])
	}
	return out.String()
}

// tellElsewhere tells of a redirect that leads out of the bases: whoever follows it does so
// without the credential.
func (x *exchange) tellElsewhere(from *url.URL, location string) {
	to, err := from.Parse(location)
	if err != nil {
		return
	}
	if _, _, below := x.p.places.Locate(to); below {
		return
	}
	where := provider.HostOf(to.String())
	told := ", outside of what the credential is lent for: whoever follows goes there without it"
	if to.Host == from.Host {
		where, told = where+to.EscapedPath(), ", which is on its own host, and not below a base: whoever follows goes there without the credential"
		if relative, err := url.Parse(location); err == nil && relative.Host == "" {
			told = ", which is on its own host, and not below a base: whoever follows reaches ambit instead, and gets a 404"
		}
	}
	x.p.note("base " + x.route.base.Name + " redirects to " + text.Cut(text.Line(where), text.MaxWord) + told)
}
