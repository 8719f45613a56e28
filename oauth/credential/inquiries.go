package credential

import (
	"context"
	"time"
)

// askAgain is how long what servers said of a credential holds.
const askAgain = 10 * time.Second

// Inquiries ask servers about refused credentials: once for all requests that want to know the
// same at about the same time. They are safe for concurrent use.
type Inquiries struct {
	ask     func(context.Context, *Credential) Inquiry
	now     func() time.Time
	turn    chan struct{} // holds one: whoever has it may ask, and change what follows
	about   *Credential
	at      time.Time
	inquiry Inquiry
}

// NewInquiries makes inquiries that ask by a function, by a clock.
func NewInquiries(ask func(context.Context, *Credential) Inquiry, now func() time.Time) *Inquiries {
	return &Inquiries{ask: ask, now: now, turn: make(chan struct{}, 1)}
}

// About is what servers say of a credential; nothing where ctx ends before anybody was asked.
func (i *Inquiries) About(ctx context.Context, c *Credential) Inquiry {
	select {
	case i.turn <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-i.turn }()
	if i.about != nil && i.about.Same(c) && i.now().Before(i.at.Add(askAgain)) {
		return i.inquiry
	}
	inquiry := i.ask(ctx, c)
	if ctx.Err() == nil { // else it broke off because this request was given up
		i.about, i.at, i.inquiry = c, i.now(), inquiry
	}
	return inquiry
}
