package metadata

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
)

// A lookup is one document that is wanted, and the URLs at which it may be.
type lookup struct {
	kind       string
	subject    string
	candidates []string // never empty; requested in order

	// announced asks the subject itself where its document is; "" where it does not say. nil: it
	// is not asked.
	announced func(ctx context.Context) string
}

// places are the candidates, after the place that the subject itself names. lenient says that one
// with something else than the document is passed over, as one without anything is.
func (l *lookup) places(ctx context.Context) (list []string, lenient bool) {
	if l.announced == nil {
		return l.candidates, false
	}
	place := l.announced(ctx)
	if place == "" || slices.Contains(l.candidates[:1], place) {
		return l.candidates, true
	}
	return append([]string{place}, l.candidates...), true
}

// A document is one that was read, with the entry that keeps, or would keep, it.
type document[T any] struct {
	value T
	entry *entry
}

// read validates a document; what it refuses is neither returned nor kept.
type read[T any] func(*guard.Object) (T, error)

// fetch gets the document from the cache while that is fresh, else from the server, else
// (when the server has trouble) from the cache again.
func fetch[T any](ctx context.Context, c *Client, l *lookup, read read[T]) (T, Source, error) {
	var none T
	cached := recall(c, l, read)
	now := c.now()
	if cached != nil && cached.entry.fresh(now) {
		return cached.value, Source{URL: cached.entry.URL, From: FromCache, Age: cached.entry.age(now)}, nil
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	current, warnings, err := request(limited, c, l, cached, read)
	if err == nil {
		return current.value, Source{URL: current.entry.URL, From: FromNetwork, Warnings: warnings}, nil
	}
	trouble, ok := errors.AsType[*guard.Error](err)
	if cached == nil || !ok || !trouble.Temporary() {
		return none, Source{}, err
	}
	age := cached.entry.age(c.now())
	warning := fmt.Sprintf("%v; continuing with the document read %s ago", err, age.Round(time.Second))
	return cached.value, Source{URL: cached.entry.URL, From: FromCache, Stale: true, Age: age, Warnings: []string{warning}}, nil
}

// recall reads the cache. The document in it goes through the same validation as
// one from the net.
func recall[T any](c *Client, l *lookup, read read[T]) *document[T] {
	e := loadEntry(c.CacheDir, l)
	if e == nil {
		return nil
	}
	object, err := guard.ParseObject(e.Document)
	if err != nil {
		return nil
	}
	value, err := read(object)
	if err != nil {
		return nil
	}
	return &document[T]{value: value, entry: e}
}

// request goes through the candidates until one has a document. A place where the server fails, or
// has a list, is passed over, and told; where no other one is of use, that is the error.
func request[T any](ctx context.Context, c *Client, l *lookup, cached *document[T], read read[T]) (*document[T], []string, error) {
	var missed []string
	var trouble *guard.Error // of the first place that was passed over: what is cached may still hold
	places, lenient := l.places(ctx)
	for i, candidate := range places {
		skip := func(err error, failing bool) bool {
			e, ok := errors.AsType[*guard.Error](err)
			if ok && (failing || lenient && e.Temporary()) {
				trouble = cmp.Or(trouble, e)
			}
			if ctx.Err() != nil || trouble == nil && (!lenient || i == len(places)-1) {
				return false
			}
			missed = append(missed, fmt.Sprintf("%s: %v", text.Quote(candidate), err))
			return true
		}
		told := func(warnings []string) []string {
			if trouble == nil {
				return warnings
			}
			return append([]string{fmt.Sprintf("%v; the document at %s is used", trouble, text.Quote(candidate))}, warnings...)
		}
		etag := ""
		if cached != nil && cached.entry.URL == candidate {
			etag = cached.entry.ETag
		}
		response, err := c.get(ctx, candidate, etag)
		e, _ := errors.AsType[*guard.Error](err)
		if e != nil && e.Kind == guard.KindRedirect {
			missed = append(missed, fmt.Sprintf("%s: a refused redirect: %v", text.Quote(candidate), e.Err))
			continue
		}
		if err != nil {
			if skip(err, e != nil && e.Status >= http.StatusInternalServerError) {
				continue
			}
			return nil, nil, err
		}
		if response.Status == http.StatusNotModified && etag != "" {
			return cached, told(renew(c, l, cached.entry, response)), nil
		}
		if why := notHere(candidate, response); why != "" {
			missed = append(missed, fmt.Sprintf("%s: %s", text.Quote(candidate), why))
			continue
		}
		found, warnings, err := accept(c, l, candidate, response, read)
		if err != nil && skip(err, response.IsList()) {
			continue
		}
		return found, told(warnings), err
	}
	if trouble != nil {
		return nil, nil, trouble
	}
	first := places[0]
	return nil, nil, &guard.Error{Kind: guard.KindNotFound, URL: first, Host: hostOf(first), Err: errors.New(strings.Join(missed, "; "))}
}

func (c *Client) get(ctx context.Context, candidate, etag string) (*guard.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, candidate, nil)
	if err != nil {
		return nil, &guard.Error{Kind: guard.KindUsage, URL: guard.ShownURL(candidate), Err: errors.New("cannot be requested")}
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	requester := guard.Requester{HTTP: c.HTTP, Now: c.Now, Wait: c.Wait}
	return requester.Do(req, guard.MaxDocument)
}

// announced is where the challenge of a resource says that its document is (RFC 9728 §5.1); ""
// where there is none, or one that leads nowhere. Nothing of what the resource sends is read but
// its header: it may be a stream.
func (c *Client) announced(ctx context.Context, resource *url.URL) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, resource.String(), nil)
	if err != nil {
		return ""
	}
	requester := guard.Requester{HTTP: c.HTTP, Now: c.Now, Wait: c.Wait}
	response, err := requester.Begin(req)
	if err != nil {
		return ""
	}
	for _, challenge := range ParseChallenges(response.Header) {
		place := challenge.Params["resource_metadata"]
		if place != "" && urlProblem(place, guard.ParseEndpoint, guard.PointsHere(resource.Hostname())) == "" {
			return place
		}
	}
	return ""
}

// notHere tells why a response means that the document is not at this URL, or ""
// if the response is to be taken for the document. An unknown path is answered with
// 404 by the book, with 401 or 403 behind a gateway, and with a page by an
// application that shows its login or its front page for whatever is asked.
func notHere(candidate string, r *guard.Response) string {
	moved := ""
	if u, err := url.Parse(candidate); err == nil && u.Host != r.URL.Host {
		moved = fmt.Sprintf(" after a redirect to %s", text.Quote(r.URL.Host))
	} else if r.URL.String() != candidate {
		moved = fmt.Sprintf(" after a redirect to %s", text.Quote(r.URL.Path))
	}
	switch {
	case r.Status >= 400:
		return guard.StatusText(r.Status) + moved
	case r.Status != http.StatusOK || r.IsObject():
		return ""
	case r.IsPage():
		return guard.Page + moved
	case moved != "":
		return "no JSON" + moved
	}
	return ""
}

// accept reads and keeps the document.
func accept[T any](c *Client, l *lookup, candidate string, r *guard.Response, read read[T]) (*document[T], []string, error) {
	if r.Status != http.StatusOK { // RFC 8414 §3.2: 200 it must be
		return nil, nil, &guard.Error{Kind: guard.KindStatus, URL: candidate, Host: hostOf(candidate), Status: r.Status}
	}
	object, err := r.Object()
	if problem, ok := errors.AsType[guard.FieldError](err); ok {
		return nil, nil, invalid(candidate, problem)
	}
	value, err := read(object)
	if err != nil {
		if wrong, ok := errors.AsType[*guard.Error](err); ok {
			wrong.URL, wrong.Host = candidate, hostOf(candidate)
		}
		return nil, nil, err
	}
	e := &entry{Version: entryVersion, Kind: l.kind, Subject: l.subject, URL: candidate, Document: object.JSON()}
	return &document[T]{value: value, entry: e}, keep(c, l, e, r, defaultLifetime), nil
}

// renew follows a 304: the document still holds. A 304 that says nothing about
// freshness leaves its lifetime as long as it was (RFC 9111 §4.3.4).
func renew(c *Client, l *lookup, e *entry, r *guard.Response) []string {
	return keep(c, l, e, r, max(0, e.Expires.Sub(e.Fetched)))
}

// keep writes the entry to the cache; that it cannot is only a warning.
func keep(c *Client, l *lookup, e *entry, r *guard.Response, otherwise time.Duration) []string {
	now := c.now()
	f := freshnessOf(r.Header, now)
	if !f.explicit {
		f.lifetime = otherwise
	}
	if tag := r.Header.Get("ETag"); validETag(tag) {
		e.ETag = tag
	}
	e.Fetched, e.Expires = now.UTC(), now.Add(f.lifetime).UTC()
	write := saveEntry
	if !f.store {
		write = dropEntry
	}
	if err := write(c.CacheDir, l, e); err != nil {
		return []string{cacheWarning(c.CacheDir, err)}
	}
	return nil
}
