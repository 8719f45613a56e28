package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/audit"
)

// What a text is not, in the words of errors.
const (
	noOpenAPI = "not an OpenAPI document"
	noKey     = noOpenAPI + ": it has no openapi: 3.x at its top"
	swagger   = "not an OpenAPI 3 document; one of version 2 (Swagger) has to be converted"
)

// broken is the error of a text that cannot be parsed, or else that names no version.
func (d *document) broken(err error, text []byte) error {
	if found := formOf(text); found != unknownForm && found.flag != anOpenAPI.flag {
		return found.mistaken(d.name, "an OpenAPI document")
	}
	e := &Error{Where: audit.Where{File: d.name}, Kind: Syntax, Reason: noKey}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		e.Reason = noOpenAPI + ": it is empty"
	case guard.IsPage("", text):
		e.Reason = noOpenAPI + ": it is HTML or XML"
	case err != nil && isJSON(text):
		e.Line, e.Reason = notJSON(text)
	case err != nil:
		e.Line, e.Reason = notYAML(err, text)
	}
	return e
}

// notJSON says where and why a text is not JSON (RFC 8259).
func notJSON(text []byte) (line int, reason string) {
	if bad, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(text, new(json.RawMessage))); ok {
		return 1 + bytes.Count(text[:bad.Offset], []byte("\n")), noOpenAPI + ": not JSON: " + bad.Error()
	}
	return 0, noOpenAPI + ": not JSON: it is not in UTF-8"
}

// notYAML says where and why a text is not YAML. The parser tells no line of an alias.
func notYAML(err error, text []byte) (line int, reason string) {
	m := yamlfile.NotYAML("", text, err)
	reason = strings.TrimPrefix(m.Message, "not YAML: ")
	if strings.Contains(err.Error(), "line ") {
		line = m.Line
	}
	if _, name, found := strings.Cut(reason, "unknown anchor '"); found {
		name, _, _ = strings.Cut(name, "'")
		before, _, _ := bytes.Cut(text, []byte("*"+name))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	return line, noOpenAPI + ": not YAML: " + reason
}

// checkVersion wants version 3 at the top.
func (d *document) checkVersion(text []byte) error {
	version := d.root.get("openapi")
	number := version.word()
	e := &Error{Where: audit.Where{File: d.name}, Kind: Version}
	switch {
	case d.root.get("swagger").kind != noNode, strings.HasPrefix(number, "2"):
		e.Reason = swagger
	case number == "":
		return d.broken(nil, text)
	case d.set.failed != nil:
		return d.set.failed
	case number != "3" && !strings.HasPrefix(number, "3."):
		e.Line = version.line
		e.Reason = fmt.Sprintf("OpenAPI %q is not supported, only 3.x", short(number))
	default:
		return nil
	}
	return e
}
