package evidence

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/ambit-auth/ambit/scopes/audit"
)

// A form is what a file can be, and the flag that reads it. People mix the flags up, and
// a file of one form can pass for an odd one of another.
type form struct{ name, flag string }

var (
	anOpenAPI   = form{"an OpenAPI document", "--openapi"}
	aDiscovery  = form{"a discovery document", "--openapi"}
	someTools   = form{"a file of MCP tools", "--mcp-tools"}
	aHAR        = form{"a HAR file", "--traffic"}
	aRecording  = form{"a recording of ambit run", "--traffic"}
	unknownForm = form{}
)

// mistaken is the error of a file that another flag reads.
func (f form) mistaken(file, wanted string) *Error {
	return &Error{Where: audit.Where{File: file}, Kind: Syntax, Reason: "this is " + f.name + ", not " + wanted + "; it is read with " + f.flag}
}

// formOf tells what a text seems to be. It may break off, and be anything.
func formOf(text []byte) form {
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("{")) {
		if found := formOfObject(text); found != unknownForm {
			return found
		}
	}
	if isJSON(text) && isOfTools(text) {
		return someTools
	}
	for _, key := range []string{"openapi:", "swagger:"} {
		if bytes.HasPrefix(text, []byte(key)) || bytes.Contains(text, []byte("\n"+key)) {
			return anOpenAPI
		}
	}
	return unknownForm
}

// isOfTools reports whether a text in JSON has a member that only definitions of tools have.
func isOfTools(text []byte) bool {
	return slices.ContainsFunc([]string{`"required_scopes"`, `"securitySchemes"`, `"inputSchema"`}, func(key string) bool {
		return bytes.Contains(text, []byte(key))
	})
}

// isJSON reports whether a text begins as an object or a list does.
func isJSON(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// formOfObject tells an object by its members: a tool can be called log, but no tool is
// all that a file has to say and holds entries.
func formOfObject(text []byte) form {
	members := make(map[string]json.RawMessage)
	err := each(text, 0, func(key string, value json.RawMessage, _ int) error {
		members[key] = value
		return nil
	})
	var log struct{ Entries json.RawMessage }
	switch {
	case isText(members["openapi"]), isText(members["swagger"]):
		return anOpenAPI
	case string(members["kind"]) == `"`+discoveryKind+`"`:
		return aDiscovery
	case isText(members["base"]) && isText(members["method"]) && members["status"] != nil:
		return aRecording
	case isList(members["tools"]), holdsTools(members["result"]):
		return someTools
	case isHAR(text) && err != nil && len(members) == 0: // it breaks off in there
		return aHAR
	case isHAR(text) && len(members) == 1 && json.Unmarshal(members["log"], &log) == nil && log.Entries != nil:
		return aHAR
	}
	return unknownForm
}

func isList(value json.RawMessage) bool { return len(value) > 0 && value[0] == '[' }

func isText(value json.RawMessage) bool { return len(value) > 0 && value[0] == '"' }
