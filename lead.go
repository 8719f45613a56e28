package ambit

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/store"
)

// lead runs the login if no other process is at one for the same server and client; else it waits
// for that, and takes what comes of it. Where the other one ends without a result, as a process
// does that is killed, the next one leads.
func (c *consent) lead(ctx context.Context) (*Held, error) {
	all := c.session.logins()
	if all.inMemory() {
		return c.get(ctx)
	}
	key, began, waited := all.key(all.server), c.session.opt.now(), false
	unlock, err := store.LockLogin(ctx, all.opt.lockDir(), key, func() {
		waited = true
		all.opt.UI.note("a login for this server is under way in another process; waiting for what comes of it (to begin anew, end that one)")
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		all.opt.UI.note(text.Line(err.Error())) // better two at once than none
		return c.get(ctx)
	}
	defer unlock()
	if waited {
		if h := c.theirs(ctx, key, began); h != nil {
			all.opt.UI.note("the other process has logged in: its login is used")
			return h, nil
		}
		if err := readOutcome(all.opt.lockDir(), key, began, c.device); err != nil {
			return nil, c.refusal(err)
		}
		if err := c.widenAgain(ctx); err != nil {
			return nil, err
		}
	}
	h, err := c.get(ctx)
	if err != nil && ctx.Err() == nil {
		outcome{At: all.opt.now(), Device: c.device}.leave(all.opt.lockDir(), key, err)
	}
	return h, err
}

// theirs is the login that another process has stored since began; nil where there is none, less
// was requested for it, or it is not for the hosts of this session.
func (c *consent) theirs(ctx context.Context, key store.Key, began time.Time) *Held {
	stored, err := c.store.Load(ctx, key)
	if err != nil || stored.ObtainedAt.Before(began.Truncate(time.Second)) || c.plan.Request.Minus(stored.Asked).Len() > 0 {
		return nil
	}
	s := c.session
	l := &login{credential: stored, store: c.store, key: key, issuer: s.server, server: goodFor(s.Provider(), stored, s.server)}
	if l.bound(s) != nil {
		return nil
	}
	h := newHeld(s, stored, l)
	h.Plan = c.plan
	return h
}

// An outcome is a login that came to no credential by the decision of a person or a server: it
// is that of all who waited for it.
type outcome struct {
	At       time.Time                 `json:"at"`
	Device   bool                      `json:"device,omitempty"` // it was by a code for another device
	TimedOut bool                      `json:"timed_out,omitempty"`
	Request  *oauth.AuthorizationError `json:"request,omitempty"`  // the refusal of the request
	Response *oauth.ResponseError      `json:"response,omitempty"` // that of an endpoint: of the code, or of the client
}

func outcomePath(dir string, key store.Key) string {
	return filepath.Join(dir, key.ID()+".login.json")
}

// leave writes down why a login failed. Any other error than those of an outcome is this
// process's own, and may not be the next one's.
func (o outcome) leave(dir string, key store.Key, err error) {
	o.TimedOut = errors.Is(err, oauth.ErrLoginTimeout)
	o.Request, _ = errors.AsType[*oauth.AuthorizationError](err)
	o.Response, _ = errors.AsType[*oauth.ResponseError](err)
	if !o.TimedOut && o.Request == nil && o.Response == nil {
		return
	}
	if data, err := json.Marshal(o); err == nil {
		_ = files.Write(outcomePath(dir, key), key.ID()+"-*.tmp", data) // without it the next one asks again
	}
}

// maxOutcome bounds the file of an outcome.
const maxOutcome = 64 << 10

// readOutcome is the error that another process left since began, for one that logs in by a code for
// another device or not; nil where there is none. What a server refuses of such a code, it may give
// to a browser; who said no has said it for both.
func readOutcome(dir string, key store.Key, began time.Time, device bool) error {
	data, err := files.Read(outcomePath(dir, key), files.Rule{Limit: maxOutcome, Forbidden: files.OthersWrite})
	var o outcome
	if err != nil || json.Unmarshal(data, &o) != nil || o.At.Before(began) {
		return nil
	}
	switch denied := o.Request != nil && o.Request.Denied(); {
	case o.TimedOut:
		return oauth.ErrLoginTimeout
	case o.Device && !device && !denied:
		return nil
	case o.Request != nil:
		fit(&o.Request.Code, &o.Request.Description, &o.Request.URI, &o.Request.Listed)
		return o.Request
	case o.Response != nil:
		fit(&o.Response.Code, &o.Response.Description, &o.Response.URI, &o.Response.Problem, &o.Response.Listed)
		return o.Response
	}
	return nil
}

// fit makes words of a file fit to be shown.
func fit(words ...*string) {
	for _, word := range words {
		*word = text.Line(*word)
	}
}
