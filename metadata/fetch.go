package metadata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
)

// question is one document that is wanted, and the places where it may be.
type question struct {
	kind   string
	asked  string
	places []string // never empty; tried in order
}

// found is a document with the entry that keeps, or would keep, it.
type found[T any] struct {
	value T
	entry *entry
}

// fetch answers q from the cache while that is fresh, else from the server, else
// (when the server has trouble) from the cache again. parse validates; what it
// refuses is neither returned nor kept.
func fetch[T any](ctx context.Context, c *Client, q *question, parse func([]byte) (T, error)) (T, Source, error) {
	var none T
	cached := recall(c, q, parse)
	now := c.now()
	if cached != nil && !c.Refresh && cached.entry.fresh(now) {
		return cached.value, Source{URL: cached.entry.URL, From: FromCache, Age: cached.entry.age(now)}, nil
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	current, warnings, err := ask(limited, c, q, cached, parse)
	if err == nil {
		return current.value, Source{URL: current.entry.URL, From: FromNetwork, Warnings: warnings}, nil
	}
	trouble, ok := errors.AsType[*guard.Error](err)
	if cached == nil || !ok || !trouble.Temporary() {
		return none, Source{}, err
	}
	age := cached.entry.age(c.now())
	warning := fmt.Sprintf("%v; going on with the document read %s ago", err, age.Round(time.Second))
	return cached.value, Source{URL: cached.entry.URL, From: FromCache, Stale: true, Age: age, Warnings: []string{warning}}, nil
}

// recall reads the cache. The document in it goes through the same validation as
// one from the net.
func recall[T any](c *Client, q *question, parse func([]byte) (T, error)) *found[T] {
	e := loadEntry(c.CacheDir, q)
	if e == nil {
		return nil
	}
	value, err := parse(e.Document)
	if err != nil {
		return nil
	}
	return &found[T]{value: value, entry: e}
}

// ask goes through the places until one has a document.
func ask[T any](ctx context.Context, c *Client, q *question, cached *found[T], parse func([]byte) (T, error)) (*found[T], []string, error) {
	var missed []string
	for _, place := range q.places {
		etag := ""
		if cached != nil && cached.entry.URL == place {
			etag = cached.entry.ETag
		}
		response, err := c.get(ctx, place, etag)
		if trouble, ok := errors.AsType[*guard.Error](err); ok && trouble.Kind == guard.KindRedirect {
			missed = append(missed, fmt.Sprintf("%s: a refused redirect: %v", text.Quote(place), trouble.Err))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if response.Status == http.StatusNotModified && etag != "" {
			return cached, renew(c, q, cached.entry, response), nil
		}
		if why := notHere(place, response); why != "" {
			missed = append(missed, fmt.Sprintf("%s: %s", text.Quote(place), why))
			continue
		}
		return accept(c, q, place, response, parse)
	}
	host := hostOf(q.places[0])
	return nil, nil, &guard.Error{Kind: guard.KindNotFound, URL: q.places[0], Host: host, Err: errors.New(strings.Join(missed, "; "))}
}

func (c *Client) get(ctx context.Context, place, etag string) (*guard.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, &guard.Error{Kind: guard.KindUsage, URL: guard.ShownURL(place), Err: errors.New("cannot be asked for")}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "ambit")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	requester := guard.Requester{HTTP: c.HTTP, Now: c.Now, Wait: c.Wait}
	return requester.Do(req, guard.MaxDocument)
}

// notHere tells why a response means that the document is not in this place, or ""
// if the response is to be taken for the document. An unknown path is answered with
// 404 by the book, with 401 or 403 behind a gateway, and with a page by an
// application that shows its login or its front page for whatever is asked.
func notHere(place string, a *guard.Response) string {
	moved := ""
	if asked, err := url.Parse(place); err == nil && asked.Host != a.URL.Host {
		moved = fmt.Sprintf(" after a redirect to %s", text.Quote(a.URL.Host))
	} else if a.URL.String() != place {
		moved = fmt.Sprintf(" after a redirect to %s", text.Quote(a.URL.Path))
	}
	if a.Status >= 400 {
		return guard.StatusText(a.Status) + moved
	}
	body := bytes.TrimLeft(withoutBOM(a.Body), " \t\r\n")
	kind := strings.ToLower(a.Header.Get("Content-Type"))
	html := bytes.HasPrefix(body, []byte("<")) || strings.Contains(kind, "html")
	switch object := bytes.HasPrefix(body, []byte("{")); {
	case a.Status != http.StatusOK || object:
		return ""
	case html:
		return "an HTML page" + moved
	case moved != "":
		return "no JSON" + moved
	}
	return ""
}

// accept parses and keeps the document.
func accept[T any](c *Client, q *question, place string, a *guard.Response, parse func([]byte) (T, error)) (*found[T], []string, error) {
	if a.Status != http.StatusOK { // RFC 8414 §3.2: 200 it must be
		return nil, nil, &guard.Error{Kind: guard.KindStatus, URL: place, Host: hostOf(place), Status: a.Status}
	}
	if encoding := a.Header.Get("Content-Encoding"); encoding != "" {
		err := fmt.Errorf("it is packed as %s, which was not asked for", text.Quote(encoding))
		return nil, nil, &guard.Error{Kind: guard.KindInvalid, URL: place, Host: hostOf(place), Err: err}
	}
	value, err := parse(a.Body)
	if err != nil {
		if wrong, ok := errors.AsType[*guard.Error](err); ok {
			wrong.URL, wrong.Host = place, hostOf(place)
		}
		return nil, nil, err
	}
	e := &entry{Version: entryVersion, Kind: q.kind, Asked: q.asked, URL: place, Document: withoutBOM(a.Body)}
	return &found[T]{value: value, entry: e}, keep(c, q, e, a, defaultLife), nil
}

// renew follows a 304: the document still holds. A 304 that says nothing about
// the life leaves it as long as it was (RFC 9111 §4.3.4).
func renew(c *Client, q *question, e *entry, a *guard.Response) []string {
	return keep(c, q, e, a, max(0, e.Expires.Sub(e.Fetched)))
}

// keep writes the entry to the cache; that it cannot is only a warning.
func keep(c *Client, q *question, e *entry, a *guard.Response, otherwise time.Duration) []string {
	now := c.now()
	l := lifeOf(a.Header, now)
	if !l.told {
		l.fresh = otherwise
	}
	if tag := a.Header.Get("ETag"); validETag(tag) {
		e.ETag = tag
	}
	e.Fetched, e.Expires = now.UTC(), now.Add(l.fresh).UTC()
	write := saveEntry
	if !l.keep {
		write = dropEntry
	}
	if err := write(c.CacheDir, q, e); err != nil {
		return []string{cacheWarning(c.CacheDir, err)}
	}
	return nil
}
