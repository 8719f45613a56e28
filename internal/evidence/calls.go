package evidence

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// DefaultBase is the base on which operations stand where nobody names another.
const DefaultBase = "api"

// Calls reads lists of the operations that a program makes.
type Calls struct {
	Base     string             // of lines that name none; "" for [DefaultBase]
	Server   provider.Server    // on whose bases URLs stand
	Provider *provider.Provider // of the server: the bases of its other servers; nil for none
}

// maxCallErrors bounds how many wrong lines of one list are told.
const maxCallErrors = 20

// Read reads a list: METHOD /path, METHOD {base}/path, METHOD URL or tool:NAME, one a line. {name}
// in a path stands for one segment. Blank lines, and those that begin with #, are
// skipped. The error joins an *[Error] for each wrong line, of which it quotes little:
// another file, given by mistake, can hold anything.
func (c Calls) Read(file string, r io.Reader) (audit.Evidence, error) {
	text, err := read(file, r, MaxCalls)
	if err != nil {
		return audit.Evidence{}, err
	}
	if isJSON(text) {
		return audit.Evidence{}, syntax(file, 1, "this is JSON, not a list of METHOD /path; recorded calls are read with --traffic, tools with --mcp-tools")
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return audit.Evidence{}, syntax(file, 1, "this is not a list of METHOD /path: it is not text in UTF-8")
	}
	var wrong []error
	evidence := audit.Evidence{Calls: []audit.Call{}}
	number := 0
	for row := range strings.Lines(string(text)) {
		number++
		row = strings.TrimSpace(row)
		if row == "" || row[0] == '#' {
			continue
		}
		u, err := c.parse(row)
		switch {
		case err == nil:
			evidence.Calls = append(evidence.Calls, audit.Call{Operation: u, Where: audit.Where{File: file, Line: number}})
		case len(wrong) < maxCallErrors:
			wrong = append(wrong, &Error{Where: audit.Where{File: file, Line: number}, Kind: Syntax, Reason: err.Error(), Err: err})
		}
	}
	if len(wrong) > 0 {
		return audit.Evidence{}, errors.Join(wrong...)
	}
	if len(evidence.Calls) == 0 {
		evidence.Notes = append(evidence.Notes, audit.Note{Where: audit.Where{File: file}, Message: "lists no calls, so it says nothing about what is in use"})
	}
	return evidence, nil
}

// longestMethod is OPTIONS.
const longestMethod = 7

// parse reads one line; several blanks between method and path are one.
func (c Calls) parse(row string) (scopes.Operation, error) {
	fields := strings.Fields(row)
	switch {
	case len(fields) == 1 && strings.HasPrefix(row, "tool:"):
	case len(fields) == 2 && strings.Contains(fields[1], "://") && isMethod(fields[0]):
		return c.parseURL(fields[0], fields[1])
	case len(fields) != 2 || len(fields[0]) > longestMethod || fields[1][0] != '/' && fields[1][0] != '{':
		return scopes.Operation{}, fmt.Errorf("%q is neither METHOD /path nor tool:NAME", short(row))
	case strings.Contains(row, "?"):
		return scopes.Operation{}, fmt.Errorf("%q: a path has no query", short(row))
	}
	u, err := scopes.ParseTyped(row)
	switch cause := errors.Unwrap(err); { // the error itself quotes all of the line
	case cause != nil:
		return u, fmt.Errorf("%q: %w", short(row), cause)
	case err != nil && len(fields) == 1:
		return u, fmt.Errorf("%q names no tool: write tool:NAME", short(row))
	}
	if u.Tool == "" {
		u.Base = cmp.Or(u.Base, c.Base, DefaultBase)
	}
	return u, err
}

func isMethod(word string) bool {
	_, err := scopes.ParseTyped(word + " /")
	return err == nil
}

// parseURL reads a line with a URL, which has to stand on a base.
func (c Calls) parseURL(method, address string) (scopes.Operation, error) {
	if strings.ContainsAny(address, "?#") {
		return scopes.Operation{}, fmt.Errorf("%q: a path has no query", short(guard.ShownURL(address)))
	}
	scheme, rest, _ := strings.Cut(address, "://")
	host, path, _ := strings.Cut(rest, "/")
	g := newGround("", c.Server, c.Provider)
	at := g.siteOf(nil, []string{scheme + "://" + host})
	base, below := g.place(at, "/"+path)
	if len(at.urls) == 0 || len(g.elsewhere) > 0 {
		return scopes.Operation{}, fmt.Errorf("%q stands on no base of the provider", short(guard.ShownURL(address)))
	}
	return scopes.ParseTyped(method + " {" + base + "}" + below)
}

// maxShown bounds how much of a text from outside a message holds, in bytes: the wrong
// file may hold what no log should.
const maxShown = 40

// short is text from outside, cut to what a message can hold; a query or a fragment never
// stands there.
func short(text string) string {
	begin := text
	if at := strings.IndexAny(text, "?#"); at >= 0 {
		begin = text[:at+1]
	}
	if len(begin) > maxShown {
		begin = strings.ToValidUTF8(begin[:maxShown], "")
	}
	if len(begin) < len(text) {
		begin += "…"
	}
	return begin
}
