package ambit

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
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
	} else {
		began = time.Time{} // nobody was waited for
	}
	if err := readOutcome(all.opt.lockDir(), key, began, all.opt.now(), c.device); err != nil {
		return nil, c.refusal(err)
	}
	if waited {
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

// An outcome is how a login ended without a credential, by the decision of a person or at a server: it
// is that of all who waited for it and, where the server asks to wait, that of whoever comes meanwhile.
type outcome struct {
	At       time.Time                 `json:"at"`
	Device   bool                      `json:"device,omitempty"` // it was by a code for another device
	TimedOut bool                      `json:"timed_out,omitempty"`
	Request  *oauth.AuthorizationError `json:"request,omitempty"`  // the refusal of the request
	Response *oauth.ResponseError      `json:"response,omitempty"` // that of an endpoint: of the code, or of the client
	Issuer   *oauth.IssuerError        `json:"issuer,omitempty"`   // the response to the request was another server's
	Protocol string                    `json:"protocol,omitempty"` // what is wrong with what the server sent
	Trouble  *trouble                  `json:"trouble,omitempty"`  // there was no response, or none of use
}

// A trouble is a [guard.Error] in a file.
type trouble struct {
	Kind       guard.Kind    `json:"kind"`
	URL        string        `json:"url"`
	Host       string        `json:"host"`
	Status     int           `json:"status,omitempty"`
	Reached    bool          `json:"reached,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	RetryAt    time.Time     `json:"retry_at,omitzero"`
	Words      string        `json:"words,omitempty"`
	Untrusted  bool          `json:"untrusted,omitempty"` // as of [guard.Error.UnknownAuthority]
}

func troubleOf(e *guard.Error) *trouble {
	t := &trouble{Kind: e.Kind, URL: e.URL, Host: e.Host, Status: e.Status, Reached: e.Reached, RetryAfter: e.RetryAfter, RetryAt: e.RetryAt, Untrusted: e.UnknownAuthority()}
	if e.Err != nil {
		t.Words = e.Err.Error()
	}
	return t
}

func (t *trouble) err() error {
	e := &guard.Error{Kind: t.Kind, URL: text.Line(t.URL), Host: text.Line(t.Host), Status: t.Status, Reached: t.Reached, RetryAfter: t.RetryAfter, RetryAt: t.RetryAt}
	switch {
	case t.Untrusted:
		e.Err = x509.UnknownAuthorityError{}
	case t.Words != "":
		e.Err = errors.New(text.Line(t.Words))
	}
	return e
}

func outcomePath(dir string, key store.Key) string {
	return filepath.Join(dir, key.ID()+".login.json")
}

// leave writes down why a login failed. Any other error than those of an outcome is this
// process's own, such as the end of its input, and may not be the next one's.
func (o outcome) leave(dir string, key store.Key, err error) {
	o.TimedOut = errors.Is(err, oauth.ErrLoginTimeout)
	o.Request, _ = errors.AsType[*oauth.AuthorizationError](err)
	o.Response, _ = errors.AsType[*oauth.ResponseError](err)
	o.Issuer, _ = errors.AsType[*oauth.IssuerError](err)
	if e, ok := errors.AsType[*oauth.ProtocolError](err); ok {
		o.Protocol = e.Problem
		if _, onTheWay := errors.AsType[*guard.Error](err); !onTheWay {
			o.Protocol = e.Error()
		}
	}
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Kind != guard.KindUsage {
		o.Trouble = troubleOf(e)
	}
	if o.err() == nil {
		return
	}
	if data, err := json.Marshal(o); err == nil {
		_ = files.Write(outcomePath(dir, key), key.ID()+"-*.tmp", data) // without it the next one asks again
	}
}

// maxOutcome bounds the file of an outcome.
const maxOutcome = 64 << 10

// readOutcome is the error that another process left since began, or one whose server asks to wait until
// after now; nil where there is none. The zero time of began stands for a process that did not wait. It
// is for one that logs in by a code for another device or not: what a server refuses of such a code, it
// may give to a browser; who said no has said it for both.
func readOutcome(dir string, key store.Key, began, now time.Time, device bool) error {
	data, err := files.Read(outcomePath(dir, key), files.Rule{Limit: maxOutcome, Forbidden: files.OthersWrite})
	var o outcome
	if err != nil || json.Unmarshal(data, &o) != nil || o.At.After(now) {
		return nil
	}
	theirs := !began.IsZero() && !o.At.Before(began)
	denied := o.Request != nil && o.Request.Denied()
	if !theirs && !now.Before(o.retryAt()) || o.Device && !device && !denied && !o.TimedOut {
		return nil
	}
	return o.err()
}

// longestWait is how long a server keeps a person from another try at most, however long it asks to wait.
const longestWait = time.Hour

// retryAt is until when the server asks to wait; zero where it does not say.
func (o outcome) retryAt() time.Time {
	var asked time.Time
	switch {
	case o.Response != nil:
		asked = o.Response.RetryAt
	case o.Trouble != nil:
		asked = o.Trouble.RetryAt
	}
	if longest := o.At.Add(longestWait); asked.After(longest) {
		return longest
	}
	return asked
}

// err is the error as which the login ended.
func (o outcome) err() error {
	switch {
	case o.TimedOut:
		return oauth.ErrLoginTimeout
	case o.Request != nil:
		fit(&o.Request.Code, &o.Request.Description, &o.Request.URI, &o.Request.Listed)
		return o.Request
	case o.Response != nil:
		fit(&o.Response.Code, &o.Response.Description, &o.Response.URI, &o.Response.Problem, &o.Response.Listed)
		return o.Response
	case o.Issuer != nil:
		fit(&o.Issuer.Want, &o.Issuer.Got)
		return o.Issuer
	case o.Protocol != "" && o.Trouble != nil:
		return &oauth.ProtocolError{Problem: text.Line(o.Protocol), Err: o.Trouble.err()}
	case o.Protocol != "":
		return &oauth.ProtocolError{Problem: text.Line(o.Protocol)}
	case o.Trouble != nil:
		return o.Trouble.err()
	}
	return nil
}

// fit makes words of a file fit to be shown.
func fit(words ...*string) {
	for _, word := range words {
		*word = text.Line(*word)
	}
}
