package mcp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
)

// MaxRequest is how much of a request's body [ReadRequest] is to be given, in bytes. The name of
// a tool stands before its arguments as a rule.
const MaxRequest = 64 << 10

// The methods of JSON-RPC that matter here.
const (
	methodCall = "tools/call"
	methodList = "tools/list"
)

// A Request is what a client wants of a server.
type Request struct {
	Method string // "" where nobody can tell
	Tool   string // that is called
	Cursor string // of the page of a list that is asked for; "" for the first
}

// ListsTools reports whether the tools are listed.
func (r Request) ListsTools() bool { return r.Method == methodList }

// ReadRequest reads a request by its headers, and by the beginning of its body as far as they
// do not tell. A batch is none of ours: no revision since 2025-06-18 has it.
func ReadRequest(h http.Header, body []byte) Request {
	method, name := h.Get("Mcp-Method"), headerText(h.Get("Mcp-Name"))
	var r Request
	if method != methodCall || name == "" {
		r, name = read(body, name)
	}
	if method != "" {
		r.Method = method
	}
	switch r.Method {
	case methodCall:
		r.Tool, r.Cursor = name, ""
	case methodList:
	default:
		r.Cursor = ""
	}
	return r
}

// headerText is the value of a header that may be in base64, as one is that no header can carry:
// =?base64?…?=, exactly so. "" for what is not text that way.
func headerText(value string) string {
	inner, packed := strings.CutPrefix(value, "=?base64?")
	if !packed || !strings.HasSuffix(inner, "?=") {
		return value
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, "?="))
	if err != nil {
		return ""
	}
	return string(text)
}

var errFound = errors.New("nothing else is looked for")

// read reads as much of a body as there is. A name that a header told stays.
func read(body []byte, told string) (r Request, name string) {
	d := json.NewDecoder(bytes.NewReader(body))
	_ = guard.Members(d, func(key string) error { // a body that was cut tells what it had
		var err error
		switch key {
		case "method":
			err = d.Decode(&r.Method)
		case "params":
			err = guard.Members(d, func(key string) error {
				switch key {
				case "name":
					err := d.Decode(&name)
					if err == nil && r.Method == methodCall {
						return errFound
					}
					return err
				case "cursor":
					return d.Decode(&r.Cursor)
				}
				return guard.Skip(d)
			})
		default:
			err = guard.Skip(d)
		}
		return err
	})
	if told != "" {
		name = told
	}
	return r, name
}
