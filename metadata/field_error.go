package metadata

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
)

// FieldError is one wrong field of a document.
type FieldError struct {
	// Field is the field's wire name, with an index for an element of a list:
	// scopes_supported[3]. Empty where the document as a whole is wrong.
	Field string
	// Problem says what is wrong; text from the document in it is quoted.
	Problem string
}

// Error names the field and its problem.
func (e FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return text.Line(e.Field) + " " + e.Problem
}

// FieldErrors are all wrong fields of a document, in a fixed order. It is found
// in an [Error] of KindInvalid with errors.As.
type FieldErrors []FieldError

// Error lists the fields on one line.
func (e FieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, field := range e {
		texts[i] = field.Error()
	}
	return strings.Join(texts, "; ")
}

// Error is what went wrong between a request and a usable document: [guard.Error].
type Error = guard.Error
