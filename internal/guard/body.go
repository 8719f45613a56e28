package guard

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/text"
)

// Object reads the body as one JSON object, whatever type it is said to have; many servers
// say text/plain, text/html, or nothing. One that is form-encoded, as some token responses
// are, is read as an object of strings. The error is a [FieldError] whose problem goes on
// after "it".
func (r *Response) Object() (*Object, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, FieldError{Problem: "is packed as " + text.Quote(encoding) + ", which was not requested"}
	}
	switch {
	case r.isForm():
		return parseForm(r.Body)
	case r.IsPage():
		return nil, FieldError{Problem: "is " + Page}
	}
	return ParseObject(inUTF8(r.Body))
}

// Value reads the body as one JSON value, an object as [Response.Object] does, with numbers as they
// are written; nil where it is none.
func (r *Response) Value() any {
	if object, err := r.Object(); err == nil {
		return object.Value()
	}
	if !r.IsList() || r.IsPage() {
		return nil
	}
	list, _ := decoded(withoutBOM(inUTF8(r.Body)))
	return list
}

// Page is how messages call what [IsPage] finds.
const Page = "a page of HTML"

// IsPage reports whether a body is HTML, or XML, in place of a JSON document: a page by
// something in between, or by an application that shows its login for whatever is asked.
// contentType is what the response says of it; "" where it says nothing.
func IsPage(contentType string, body []byte) bool {
	body = start(body)
	return bytes.HasPrefix(body, []byte("<")) || strings.Contains(mediaType(contentType), "html") && !bytes.HasPrefix(body, []byte("{"))
}

// IsPage is [IsPage] for the response.
func (r *Response) IsPage() bool { return IsPage(r.Header.Get("Content-Type"), r.Body) }

// IsSigned reports whether the body is a JSON Web Token by its type (OpenID Connect Core §5.3.2).
func (r *Response) IsSigned() bool {
	return mediaType(r.Header.Get("Content-Type")) == "application/jwt"
}

// IsObject reports whether the body begins as a JSON object does.
func (r *Response) IsObject() bool { return bytes.HasPrefix(start(r.Body), []byte("{")) }

// IsList reports whether the body begins as a JSON array does.
func (r *Response) IsList() bool { return bytes.HasPrefix(start(r.Body), []byte("[")) }

func start(body []byte) []byte { return bytes.TrimLeft(withoutBOM(body), " \t\r\n") }

// mediaType is in lower case; "" for what is no media type.
func mediaType(contentType string) string {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind
}

// isForm reports whether the body is form-encoded: it is said to be, or nothing better is
// said, and it looks so.
func (r *Response) isForm() bool {
	switch mediaType(r.Header.Get("Content-Type")) {
	case "application/x-www-form-urlencoded":
		return !r.IsObject()
	case "text/plain", "text/html", "application/json", "":
		body := bytes.TrimSpace(withoutBOM(r.Body))
		return bytes.Contains(body, []byte("=")) && bytes.IndexFunc(body, notInForm) < 0
	}
	return false
}

// notInForm is what is escaped in a form (WHATWG URL §5.2).
func notInForm(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>{}[]\\", r) }

// inUTF8 is a body in UTF-8, which JSON has to be in (RFC 8259 §8.1). What is not is taken
// for ISO 8859-1, the default of many platforms, whose bytes are the first 256 code points.
// The charset that a server names says less: most that name ISO 8859-1 send UTF-8.
func inUTF8(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	runes := make([]rune, len(body))
	for i, b := range body {
		runes[i] = rune(b)
	}
	return []byte(string(runes))
}
