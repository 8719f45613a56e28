package evidence

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"sort"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// A harEntry is what is looked at of one entry; all else is skipped by the decoder.
type harEntry struct {
	Request struct {
		Method string
		URL    string
	}
	Response struct {
		Status  int
		Headers []struct{ Name, Value string }
		Content struct{ Text, Encoding string }
	}
}

// har reads log.entries as a stream: a recording can be far larger than an entry.
func (c *collector) har(in *bufio.Reader) error {
	lines := &lineReader{r: in}
	d := json.NewDecoder(lines)
	fail := func(err error) error {
		reason := "not a HAR file"
		var bad *json.SyntaxError
		if errors.As(err, &bad) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			reason = "not a HAR file: not JSON, or it breaks off"
		}
		return syntax(c.file, lines.at(d.InputOffset()), "%s", reason)
	}
	for range 2 { // {"log":
		if _, err := d.Token(); err != nil {
			return fail(err)
		}
	}
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fail(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fail(err)
		}
		if key != "entries" {
			if err := skip(d); err != nil {
				return fail(err)
			}
			continue
		}
		if open, err := d.Token(); err != nil || open != json.Delim('[') {
			return fail(err)
		}
		for d.More() {
			var e harEntry
			if err := d.Decode(&e); err != nil {
				return fail(err)
			}
			if err := c.entry(&e, lines.at(d.InputOffset())); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return fail(err)
		}
	}
	if _, err := d.Token(); err != nil {
		return fail(err)
	}
	return nil
}

// skip reads over one value, without keeping it.
func skip(d *json.Decoder) error {
	var nothing struct{}
	err := d.Decode(&nothing)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return nil // no object, but read over all the same
	}
	return err
}

func (c *collector) entry(e *harEntry, number int) error {
	if e.Response.Status < 100 || e.Response.Status > 999 || e.Request.Method == "OPTIONS" {
		return nil // never answered, or a browser's question before a call
	}
	base, path, ours := c.base(e.Request.URL)
	if !ours {
		c.foreign++
		return nil
	}
	return c.observe(base, e.Request.Method, path, e.Response.Status, nil, append([]string{}, words(c.named(base, e))...), number)
}

// base finds the base of a URL among those of all the provider's servers, the longest
// that fits. The issuer comes last: it often has the address of another base.
func (c *collector) base(raw string) (base, path string, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || c.Provider == nil {
		return "", "", false
	}
	address := strings.ToLower(u.Scheme) + "://" + scopes.HostOf(raw) + u.EscapedPath()
	best := -1
	try := func(name, prefix string) {
		at, err := url.Parse(prefix)
		if err != nil || prefix == "" {
			return
		}
		prefix = at.Scheme + "://" + scopes.HostOf(prefix) + strings.TrimSuffix(at.EscapedPath(), "/")
		rest, below := strings.CutPrefix(address, prefix)
		if below && (rest == "" || rest[0] == '/') && len(prefix) > best {
			best, base, path, ok = len(prefix), name, rest, true
		}
	}
	for _, s := range c.Provider.Servers {
		for _, b := range s.Bases {
			try(b.Name, b.URL)
		}
	}
	for _, s := range c.Provider.Servers {
		try(scopes.IssuerBase, s.Issuer)
	}
	return base, path, ok
}

// named are the scopes for want of which the call was refused: by its challenge, else by
// a wording that the provider file knows.
func (c *collector) named(base string, e *harEntry) []string {
	if s := e.Response.Status; s != 401 && s != 403 {
		return nil
	}
	var challenges []string
	for _, h := range e.Response.Headers {
		if strings.EqualFold(h.Name, "WWW-Authenticate") {
			challenges = append(challenges, h.Value)
		}
	}
	if c.Challenge != nil && len(challenges) > 0 {
		if found := c.Challenge(challenges); len(found) > 0 {
			return found
		}
	}
	body := e.Response.Content.Text
	if e.Response.Content.Encoding == "base64" {
		plain, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return nil
		}
		body = string(plain)
	}
	for _, r := range c.Provider.Refusals {
		if r.Means != "missing_scope" || r.Status != e.Response.Status || r.Base != "" && r.Base != base {
			continue
		}
		if scope, ok := captured(r.Text, body, "scope"); ok {
			return strings.FieldsFunc(scope, func(c rune) bool { return c == ' ' || c == ',' })
		}
	}
	return nil
}

// captured finds a wording with variables in a text, and what the named variable stands
// for there: the shortest text that lets the rest follow.
func captured(wording, text, name string) (value string, ok bool) {
	before, rest, more := strings.Cut(wording, "{")
	_, text, found := strings.Cut(text, before)
	for found && more {
		var variable, after string
		variable, rest, _ = strings.Cut(rest, "}")
		after, rest, more = strings.Cut(rest, "{")
		stands := text
		if after != "" {
			stands, text, found = strings.Cut(text, after)
		}
		if variable == name {
			value, ok = stands, true
		}
	}
	return value, ok && found
}

// A lineReader notes where lines end, so that an offset can be told as a line.
type lineReader struct {
	r    io.Reader
	read int64
	ends []int64
}

// Read notes line ends on the way.
func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

func (l *lineReader) at(offset int64) int {
	return 1 + sort.Search(len(l.ends), func(i int) bool { return l.ends[i] >= offset })
}
