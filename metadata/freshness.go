package metadata

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// defaultLifetime is for a server that says nothing about caching.
	defaultLifetime = 5 * time.Minute
	// maxLifetime keeps a scope list from being believed for a year, whatever a
	// content network puts into the header; see entry.fresh.
	maxLifetime = 24 * time.Hour
)

// freshness is how long a response may be used without asking again.
type freshness struct {
	store    bool          // false for no-store: it may not be written at all
	explicit bool          // the server said something about it (RFC 9111 §4.2.1)
	lifetime time.Duration // 0 means: store it, but ask each time
}

// freshnessOf reads Cache-Control, Expires, Date and Age (RFC 9111 §4.2 and §5)
// as a private cache does; s-maxage is for others.
func freshnessOf(h http.Header, now time.Time) freshness {
	directives := cacheDirectives(h)
	f := freshness{store: true, lifetime: defaultLifetime}
	if _, ok := directives["no-store"]; ok {
		return freshness{explicit: true}
	}
	age, hasMaxAge := directives["max-age"]
	expires := h.Get("Expires")
	switch _, noCache := directives["no-cache"]; {
	case noCache:
		f.explicit, f.lifetime = true, 0
	case hasMaxAge:
		f.explicit, f.lifetime = true, seconds(age)-seconds(h.Get("Age"))
	case expires != "":
		f.explicit, f.lifetime = true, untilExpires(expires, h.Get("Date"), now)-seconds(h.Get("Age"))
	}
	f.lifetime = max(f.lifetime, 0)
	return f
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
	return time.Duration(min(n, uint64(2*maxLifetime/time.Second))) * time.Second
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
