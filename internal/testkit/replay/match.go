package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A request is one that came, read as far as a scenario speaks of it.
type request struct {
	method string
	url    string // without its query
	query  string
	header http.Header
	body   string
}

func (r request) String() string { return r.method + " " + r.url }

// A comparison of a request with an exchange: the words that the request has, and what differs.
type comparison struct {
	words       words
	differences []string
}

func (c *comparison) differs(format string, args ...any) {
	c.differences = append(c.differences, fmt.Sprintf(format, args...))
}

// compare compares a request with the one that an exchange expects.
func compare(e Exchange, r request, known words) comparison {
	c := comparison{words: known}
	if r.method != e.Method {
		c.differs("the method is %s, not %s", r.method, e.Method)
	}
	c.value("the URL", e.URL, r.url)
	c.fields("the query", e.Query, r.query)
	c.header(e, r.header)
	c.body(e, r)
	return c
}

// isAbout reports whether a request is for the place of an exchange, however it differs.
func isAbout(e Exchange, r request, known words) bool {
	_, same := known.fit(e.URL, r.url)
	return same && r.method == e.Method
}

func (c *comparison) value(what, want, got string) {
	found, ok := c.words.fit(want, got)
	if !ok {
		c.differs("%s is %q, not %q", what, got, want)
		return
	}
	c.words = c.words.with(found)
}

// fields compares members of a query or of a form, whatever their order.
func (c *comparison) fields(where string, want []Field, encoded string) {
	got, err := url.ParseQuery(encoded)
	if err != nil {
		c.differs("%s cannot be read: %v", where, err)
		return
	}
	for _, f := range want {
		values := got[f.Name]
		if len(values) == 0 {
			c.differs("%s has no %s=%s", where, f.Name, f.Value)
			continue
		}
		c.value(where+"'s "+f.Name, f.Value, values[0])
		got[f.Name] = values[1:]
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		for _, value := range got[name] {
			c.differs("%s has %s=%s, which is not expected", where, name, value)
		}
	}
}

// Header fields that any client sends, and that say nothing of the service.
var everywhere = []string{"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Referer", "User-Agent"}

func (c *comparison) header(e Exchange, got http.Header) {
	named := make(map[string]int)
	for _, f := range e.Header {
		values := got.Values(f.Name)
		at := named[f.Name]
		named[f.Name]++
		if at >= len(values) {
			c.differs("there is no header field %s: %s", f.Name, f.Value)
			continue
		}
		c.value("the header field "+f.Name, f.Value, values[at])
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if slices.Contains(everywhere, name) && named[name] == 0 {
			continue
		}
		for _, value := range got[name][min(named[name], len(got[name])):] {
			c.differs("there is a header field %s: %s, which is not expected", name, value)
		}
	}
}

func (c *comparison) body(e Exchange, r request) {
	switch {
	case e.Body.Any:
	case e.Body.JSON != nil:
		c.sentAs(e, r, "application/json")
		var got any
		if err := json.Unmarshal([]byte(r.body), &got); err != nil {
			c.differs("the body is no JSON: %q", r.body)
			return
		}
		c.json("the body", e.Body.JSON, got)
	case e.Body.Form != nil:
		c.sentAs(e, r, "application/x-www-form-urlencoded")
		c.fields("the form", e.Body.Form, r.body)
	case r.body != "":
		c.differs("there is a body, which is not expected: %q", r.body)
	}
}

// sentAs compares the media type of a body, where the scenario does not name it.
func (c *comparison) sentAs(e Exchange, r request, want string) {
	if slices.ContainsFunc(e.Header, func(f Field) bool { return f.Name == "Content-Type" }) {
		return
	}
	if got, _, _ := mime.ParseMediaType(r.header.Get("Content-Type")); got != want {
		c.differs("the body is sent as %q, not as %q", got, want)
	}
}

func (c *comparison) json(where string, want, got any) {
	if want == "{*}" {
		return
	}
	switch want := want.(type) {
	case map[string]any:
		members, _ := got.(map[string]any)
		if members == nil {
			c.differs("%s is %s, and no object", where, asJSON(got))
			return
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if value, is := members[name]; is {
				c.json(where+"'s "+name, want[name], value)
			} else {
				c.differs("%s has no %s", where, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if _, is := want[name]; !is {
				c.differs("%s has %s: %s, which is not expected", where, name, asJSON(members[name]))
			}
		}
	case []any:
		items, _ := got.([]any)
		if len(items) != len(want) {
			c.differs("%s is %s, not %s", where, asJSON(got), asJSON(want))
			return
		}
		for i := range want {
			c.json(fmt.Sprintf("%s[%d]", where, i), want[i], items[i])
		}
	case string:
		if text, is := got.(string); is {
			c.value(where, want, text)
			return
		}
		c.differs("%s is %s, not %q", where, asJSON(got), want)
	default:
		if want != got {
			c.differs("%s is %s, not %s", where, asJSON(got), asJSON(want))
		}
	}
}

func asJSON(value any) string {
	text, _ := json.Marshal(value) // it was JSON
	return strings.TrimSpace(string(text))
}
