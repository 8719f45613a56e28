package guard

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// CheckURL reports whether raw is a URL that ambit may send a request to: https, or
// http on a loopback host (localhost, 127.0.0.0/8, ::1), with a host, without a
// user name, password or fragment (RFC 6749 §3.1 and §3.2 forbid the
// fragment). The error is an [Error] of KindUsage.
func CheckURL(raw string) error {
	_, err := ParseURL(raw)
	return err
}

// ParseURL is CheckURL for those who go on with the parsed URL.
func ParseURL(raw string) (*url.URL, error) {
	u, err := ParseEndpoint(raw)
	if err != nil {
		return nil, &Error{Kind: KindUsage, URL: ShownURL(raw), Err: err}
	}
	return u, nil
}

// ParseEndpoint returns a plain error, without the URL, to be put into a sentence.
func ParseEndpoint(raw string) (*url.URL, error) {
	u, err := parseLink(raw)
	if err == nil && strings.Contains(raw, "#") {
		return nil, errors.New("has a fragment, which an endpoint may not have")
	}
	return u, err
}

// CheckLink reports whether raw is a URL that people may be shown as the page of something: as
// [CheckURL], and with a fragment. The error is plain, without the URL.
func CheckLink(raw string) error {
	_, err := parseLink(raw)
	return err
}

func parseLink(raw string) (*url.URL, error) {
	if strings.IndexFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return nil, errors.New("has characters that no URL has (RFC 3986)")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil: // err repeats the URL, a password in it included
		return nil, errors.New("cannot be read as a URL")
	case u.User != nil:
		return nil, errors.New("has a user name or password in it")
	case !validHost(u):
		return nil, errors.New("has no valid host")
	case u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, errors.New("is plain http, which is for loopback hosts only")
	}
	return nil, errors.New("is not an https URL")
}

// validHost also refuses the old ways to write an IPv4 address (127.1, 2130706433,
// 0x7f.1): some resolvers read them as an address that PointsHere would not see.
func validHost(u *url.URL) bool {
	host := u.Hostname()
	if host == "" || strings.HasSuffix(u.Host, ":") {
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if strings.IndexFunc(host, notInHostName) >= 0 {
		return false
	}
	last := host[strings.LastIndex(strings.TrimSuffix(host, "."), ".")+1:]
	return !isNumber(strings.TrimSuffix(last, "."))
}

// isNumber takes "" for one too: neither can end a host name.
func isNumber(label string) bool {
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(strings.ToLower(label), "0x"); ok {
		label, digits = hex, "0123456789abcdef"
	}
	return strings.Trim(label, digits) == ""
}

func notInHostName(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
}

// IsLoopback reports whether host, with a port or without, is this machine by its very name:
// localhost, 127.0.0.0/8 or ::1. No name is looked up.
func IsLoopback(host string) bool {
	host = WithoutPort(host)
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() // IPv4 mapped into IPv6 too
}

// WithoutPort is the name or address of a host, without the brackets of an IPv6 address.
func WithoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// PointsHere is wider than IsLoopback: all that would reach this machine, 0.0.0.0
// and names under localhost (RFC 6761 §6.3) included. It is for refusing,
// IsLoopback is for allowing.
func PointsHere(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if IsLoopback(name) || strings.HasSuffix(name, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsUnspecified()
}

// ShownURL is raw as it may stand in a message. A URL can hold a secret in its query, in its
// fragment, and before an @; of one that cannot be read, or that is a word that someone typed
// for one, only what no @ follows is shown.
func ShownURL(raw string) string {
	u, err := url.Parse(raw)
	scheme, rest, ok := strings.Cut(raw, "://")
	if err != nil || !ok || !validHost(u) {
		return text.Cut(shownWord(raw), text.MaxWord)
	}
	path := ""
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		path = withoutQuery(rest[end:])
	}
	if at := strings.LastIndex(path, "@"); at >= 0 { // a password that has a / in it looks so
		path = "/…" + path[at:]
	}
	return text.Cut(scheme+"://"+u.Host+path, text.MaxWord)
}

func shownWord(raw string) string {
	word := withoutQuery(raw)
	if strings.LastIndex(raw, "@") > len(word) {
		return "(a URL with an @ in it)" // where a password ends cannot be told
	}
	if at := strings.LastIndex(word, "@"); at >= 0 {
		return "…" + word[at:]
	}
	return word
}

func withoutQuery(raw string) string {
	if end := strings.IndexAny(raw, "?#"); end >= 0 {
		return raw[:end]
	}
	return raw
}
