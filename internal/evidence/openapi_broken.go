package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/pb33f/go-yaml"
)

// What a text is not, in the words of errors.
const (
	noOpenAPI = "not an OpenAPI document"
	noKey     = noOpenAPI + ": it has no openapi: 3.x at its top"
	swagger   = "not an OpenAPI 3 document; one of version 2 (Swagger) has to be converted"
)

// broken is the error of a text that the library does not take, or that names no version.
// What the library says is for those who program with it; only a parser's reason is kept.
func (d *document) broken(said string, text []byte) error {
	if found := formOf(text); found != unknownForm && found != anOpenAPI {
		return found.mistaken(d.file, "an OpenAPI document")
	}
	e := &Error{Where: audit.Where{File: d.file}, Kind: Syntax}
	reason, unparsed := strings.CutPrefix(said, "unable to parse specification: ")
	var bad *json.SyntaxError
	if isJSON(text) {
		bad, _ = errors.AsType[*json.SyntaxError](json.Unmarshal(text, new(json.RawMessage)))
	}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		e.Reason = noOpenAPI + ": it is empty"
	case bad != nil:
		e.Line = 1 + bytes.Count(text[:bad.Offset], []byte("\n"))
		e.Reason = noOpenAPI + ": no JSON: " + bad.Error()
	case unparsed:
		where, what, _ := strings.Cut(reason, ": ")
		e.Line = lineAfter(where, " at L")
		e.Reason = noOpenAPI + ": no YAML: " + what
	case strings.Contains(reason, "already defined"):
		e.Line = lineAfter(reason, "line ")
		e.Reason = "a key that is there already"
	default:
		e.Reason = noKey
	}
	return e
}

// lineAfter is the number that follows a mark in a parser's words; 0 where there is none.
func lineAfter(text, mark string) (number int) {
	_, after, _ := strings.Cut(text, mark)
	_, _ = fmt.Sscanf(after, "%d", &number)
	return number
}

// checkVersion wants version 3 at the top.
func (d *document) checkVersion(top *yaml.Node, text []byte) error {
	e := &Error{Where: audit.Where{File: d.file}, Kind: Version}
	version := member(top, "openapi")
	switch {
	case member(top, "swagger") != nil, version != nil && strings.HasPrefix(version.Value, "2"):
		e.Reason = swagger
	case version == nil:
		return d.broken("", text)
	case version.Value != "3" && !strings.HasPrefix(version.Value, "3."):
		e.Line = version.Line
		e.Reason = fmt.Sprintf("OpenAPI %q is not read, only 3.x", short(version.Value))
	default:
		return nil
	}
	return e
}

func (d *document) incomprehensible() *Error {
	return &Error{Where: audit.Where{File: d.file}, Kind: Syntax, Reason: "the document cannot be understood"}
}
