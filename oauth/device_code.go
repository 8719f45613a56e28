package oauth

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
)

const (
	// defaultInterval is between two requests for a token, where the server does not say (RFC 8628 §3.2).
	defaultInterval = 5 * time.Second
	// slower is by how much each slow_down lengthens that (RFC 8628 §3.5).
	slower = 5 * time.Second
	// longestPause is to what it doubles at most while nobody answers (RFC 8628 §3.5).
	longestPause = time.Minute
	// maxCodeLife bounds the life of a code: who has not come within an hour begins anew.
	maxCodeLife = time.Hour
	// maxUserCode bounds a code that people type, in characters. Usual ones have eight or nine.
	maxUserCode = 64
	// maxVerificationURI bounds a link that people open.
	maxVerificationURI = 2 << 10
)

// A DeviceCode is what a person needs to log in on another device (RFC 8628 §3.2). All of it is the
// server's, and fit to be shown.
type DeviceCode struct {
	UserCode string    // as the server groups it
	URL      string    // where it is entered: https, or on this machine
	Complete string    // the same page with the code in it; "" where the server names none
	Expires  time.Time // from when on the code is no good
}

// An issuedCode is a device authorization response (RFC 8628 §3.2).
type issuedCode struct {
	shown    DeviceCode
	device   string // which the token is asked with; a secret of this login
	lifetime time.Duration
	interval time.Duration
}

// readIssuedCode reads a device authorization response; problem is why it cannot be used. A link with
// the code in it that leads elsewhere than the plain one is left out.
func readIssuedCode(members *guard.Object, now time.Time) (given *issuedCode, problem string) {
	page := members.Text("verification_uri")
	if page == "" {
		page = members.Text("verification_url") // as some wrote it before the RFC was one
	}
	given = &issuedCode{
		device:   members.Text("device_code"),
		lifetime: members.Seconds("expires_in", maxCodeLife),
		shown:    DeviceCode{UserCode: text.Line(members.Name("user_code")), URL: page},
	}
	switch {
	case given.device == "" || !credential.IsVisible(given.device):
		return nil, "its response has no usable device_code"
	case given.shown.UserCode == "" || utf8.RuneCountInString(given.shown.UserCode) > maxUserCode:
		return nil, "its response has no usable user_code"
	case !isPage(page):
		return nil, "its response has no usable verification_uri, which has to be https, or on this machine"
	}
	if complete := members.Text("verification_uri_complete"); isPage(complete) && provider.HostOf(complete) == provider.HostOf(page) {
		given.shown.Complete = complete
	}
	if given.lifetime == 0 {
		given.lifetime = defaultLoginTimeout
	}
	if given.interval = members.Seconds("interval", maxCodeLife); given.interval == 0 {
		given.interval = defaultInterval
	}
	given.interval = max(given.interval, time.Second) // no server makes us hurry
	given.shown.Expires = now.Add(given.lifetime).Round(0)
	return given, ""
}

// isPage reports whether a URL is one that a person may be sent to.
func isPage(uri string) bool {
	return uri != "" && len(uri) <= maxVerificationURI && guard.CheckURL(uri) == nil
}

// A pace is how long to wait before the token is asked for again.
type pace struct{ interval, pause time.Duration }

func newPace(interval time.Duration) *pace { return &pace{interval, interval} }

// goesOn reports whether to ask again after err, and when: after the interval while the person has
// not answered, later for good where the server says slow_down, and ever later while it is in
// trouble (RFC 8628 §3.5). A server's Retry-After is waited for.
func (p *pace) goesOn(err error, now time.Time) bool {
	refused, isRefusal := errors.AsType[*ResponseError](err)
	trouble, isTrouble := errors.AsType[*guard.Error](err)
	look := outlookOf(err)
	switch {
	case isRefusal && refused.Code == "authorization_pending":
		p.pause = p.interval
	case isRefusal && refused.Code == "slow_down", isTrouble && trouble.Kind == guard.KindRateLimited:
		p.interval += slower
		p.pause = p.interval
	case isRefusal && refused.Code == "" && !guard.IsTemporary(refused.Status): // not the protocol's
		return false
	case look.later:
		p.back()
	default:
		return false
	}
	p.pause = max(p.pause, look.from.Sub(now))
	return true
}

// back doubles the pause.
func (p *pace) back() { p.pause = max(p.interval, min(2*p.pause, longestPause)) }
