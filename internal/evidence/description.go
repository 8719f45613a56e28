package evidence

import (
	"bytes"
	"io"

	"github.com/ambit-auth/ambit/scopes/audit"
)

// ReadDescription reads a description of any form that names scopes: an OpenAPI document, a
// discovery document, or a file of MCP tools.
func ReadDescription(how OpenAPI, file string, in io.Reader) (audit.Evidence, error) {
	text, err := read(file, in, MaxOpenAPI)
	if err != nil {
		return audit.Evidence{}, err
	}
	switch found := formOf(text); found {
	case someTools:
		return Tools{how.Provider}.readText(file, text)
	case unknownForm:
		if isList(bytes.TrimSpace(text)) {
			return Tools{how.Provider}.readText(file, text)
		}
		if isJSON(text) {
			return audit.Evidence{}, syntax(file, 0, "this is neither an OpenAPI document, nor a discovery document, nor a file of MCP tools")
		}
	case aHAR, aRecording:
		return audit.Evidence{}, found.mistaken(file, "a description of an API or of tools")
	}
	return how.readText(file, text, partSize)
}
