package metadata

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// defaultLife is for a server that says nothing about caching.
	defaultLife = 5 * time.Minute
	// maxLife keeps a scope list from being believed for a year, whatever a
	// content network puts into the header; see entry.fresh.
	maxLife = 24 * time.Hour
)

// life is how long a response may be used without asking again.
type life struct {
	keep  bool          // false for no-store: it may not be written at all
	told  bool          // the server said something about it
	fresh time.Duration // 0 means: keep it, but ask each time
}

// lifeOf reads Cache-Control, Expires, Date and Age (RFC 9111 §4.2 and §5)
// as a private cache does; s-maxage is for others.
func lifeOf(h http.Header, now time.Time) life {
	directives := cacheDirectives(h)
	l := life{keep: true, fresh: defaultLife}
	if _, ok := directives["no-store"]; ok {
		return life{told: true}
	}
	age, hasMaxAge := directives["max-age"]
	expires := h.Get("Expires")
	switch _, noCache := directives["no-cache"]; {
	case noCache:
		l.told, l.fresh = true, 0
	case hasMaxAge:
		l.told, l.fresh = true, seconds(age)-seconds(h.Get("Age"))
	case expires != "":
		l.told, l.fresh = true, untilExpires(expires, h.Get("Date"), now)-seconds(h.Get("Age"))
	}
	l.fresh = max(l.fresh, 0)
	return l
}

// cacheDirectives takes the first of a directive that stands twice.
func cacheDirectives(h http.Header) map[string]string {
	directives := make(map[string]string)
	for item := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(item, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := directives[name]; !twice {
			directives[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return directives
}

// seconds takes what cannot be read for 0: stale, as RFC 9111 §4.2.1 advises.
func seconds(value string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 63)
	if err != nil && n == 0 {
		return 0
	}
	return time.Duration(min(n, uint64(2*maxLife/time.Second))) * time.Second
}

// untilExpires goes by the server's own clock where it gives one. A date that
// cannot be read, "0" above all, is in the past (RFC 9111 §5.3).
func untilExpires(expires, date string, now time.Time) time.Duration {
	end, err := http.ParseTime(expires)
	if err != nil {
		return 0
	}
	if start, err := http.ParseTime(date); err == nil {
		now = start
	}
	return end.Sub(now)
}
