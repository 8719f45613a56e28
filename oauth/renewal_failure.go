package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
)

const (
	// deniedFor is how long a server that refuses to renew, though not this login, is taken at
	// its word: its operator may have to set something right.
	deniedFor = 10 * time.Minute
	// busyFor is how long a server is left alone that says 429, and not for how long.
	busyFor = 10 * time.Second
)

// failure is what to remember of an error.
func (r *Renewer) failure(err error) *credential.RenewalFailure {
	look := outlookOf(err)
	f := &credential.RenewalFailure{At: r.now().Round(0), Until: look.from}
	if refusal, ok := errors.AsType[*ResponseError](err); ok {
		f.Host, f.Status, f.Code, f.Words = refusal.Host, refusal.Status, refusal.Code, refusal.Description
		if refusal.Code == "" {
			f.Words = refusal.Problem
		}
		if f.Final = refusal.Renewal && !look.later; f.Final && !refusal.Ends() && !refusal.Own { // what a client proves itself with is set right here
			f.Until = f.At.Add(deniedFor)
		}
		return f
	}
	f.Kind, f.Words = string(guard.KindUnreachable), err.Error()
	if trouble, ok := errors.AsType[*guard.Error](err); ok {
		f.Kind, f.Host, f.Status, f.Words = string(trouble.Kind), trouble.Host, trouble.Status, ""
		if trouble.Err != nil {
			f.Words = trouble.Err.Error()
		}
		switch {
		case trouble.Kind == guard.KindRateLimited && f.Until.IsZero():
			f.Until = f.At.Add(busyFor)
		case trouble.Kind == guard.KindCanceled: // here; to everybody else it is no response
			f.Kind, f.Words = string(guard.KindUnreachable), "the process that asked was ended before a response came"
		}
	}
	return f
}

// lostOnTheWay reports whether a request went out to which no response of the server came that can
// be used: a gateway's own error is none. With a good status and nothing of use in it, the server has
// most likely exchanged the refresh token.
func lostOnTheWay(err error) bool {
	if response, ok := errors.AsType[*ResponseError](err); ok {
		return response.Problem != "" && response.Status == 0
	}
	trouble, ok := errors.AsType[*guard.Error](err)
	if !ok || trouble.Unsent {
		return false
	}
	switch trouble.Kind {
	case guard.KindUnreachable, guard.KindCanceled, guard.KindInvalid:
		return true
	}
	return trouble.Status == http.StatusBadGateway || trouble.Status == http.StatusGatewayTimeout
}

// Standing is what earlier attempts to renew a credential say of the next one: nil where it may
// be tried. Errors: *[credential.SessionLostError] where only another login helps;
// *[credential.RenewalDeniedError], a *[ResponseError] or a [metadata.Error] where the server
// refused, or asked to wait, and the time has not come.
func Standing(c *credential.Credential, now time.Time) error {
	f := c.Renewal.Failed
	switch {
	case !c.Renewable() && (f == nil || !f.Final):
		return &credential.SessionLostError{RejectedAt: c.Renewal.RejectedAt}
	case f == nil:
		return nil
	case !c.Renewable():
		lost := sessionLost(c, f.At)
		lost.Err = remembered(c)
		return lost
	case now.Before(f.Until) && f.At.Before(now.Add(clockLeeway)): // else a clock was wrong that wrote it
		return remembered(c)
	}
	return nil
}

// remembered is the failure of an earlier attempt as an error.
func remembered(c *credential.Credential) error {
	f := c.Renewal.Failed
	if f.Kind != "" {
		trouble := &guard.Error{Kind: guard.Kind(f.Kind), Host: f.Host, Status: f.Status, RetryAt: f.Until}
		if !f.Until.IsZero() {
			trouble.RetryAfter = f.Until.Sub(f.At)
		}
		if f.Words != "" {
			trouble.Err = errors.New(f.Words)
		}
		return trouble
	}
	refusal := &ResponseError{Endpoint: TokenEndpoint, Renewal: true, Own: c.Own, Host: f.Host, Status: f.Status, Code: f.Code}
	if f.Code == "" {
		refusal.Problem = f.Words
	} else {
		refusal.Description = f.Words
	}
	switch {
	case !f.Final:
		refusal.RetryAt = f.Until
	case !refusal.Ends():
		return &credential.RenewalDeniedError{Code: refusal.Code, Description: refusal.Description, Err: refusal, At: f.At, Until: f.Until}
	}
	return refusal
}

// sessionLost is the end of a session, with what this machine knows of how it came: at is when
// the server refused.
func sessionLost(c *credential.Credential, at time.Time) *credential.SessionLostError {
	e := &credential.SessionLostError{}
	if f := c.Renewal.Failed; f != nil && f.Code != "" {
		e.Code, e.Description = f.Code, f.Words
	}
	idle := at.Sub(c.ObtainedAt).Round(time.Minute)
	switch {
	case !c.Renewal.LostAt.IsZero():
		e.Likely = fmt.Sprintf("what came of a renewal at %s was lost, and the server may have exchanged the refresh token then", c.Renewal.LostAt.UTC().Format(time.RFC3339))
	case c.ObtainedAt.IsZero():
	case idle > longUnused:
		e.Likely = fmt.Sprintf("it was not renewed here for %d days: it may have ended for that, or a copy of the store was used elsewhere", int(idle.Hours())/24)
	default:
		e.Likely = "it was revoked, or a copy of the store was used elsewhere"
	}
	return e
}

// longUnused is after how long without a renewal servers begin to end a session for that.
const longUnused = 24 * time.Hour

// overtaken reports whether somebody else has come before, who stored something or may do so.
func overtaken(err error) bool {
	_, changed := errors.AsType[*store.ChangedError](err)
	_, fenced := errors.AsType[*store.FencedError](err)
	return changed || fenced
}

func noPlace(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", ErrNoPlace, err)
}
