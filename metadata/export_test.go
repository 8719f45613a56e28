package metadata

import (
	"errors"

	"github.com/ambit-auth/ambit/internal/guard"
)

// ParseAuthorizationServer reads a document that nobody fetched.
func ParseAuthorizationServer(raw []byte, issuer string) (*AuthorizationServer, error) {
	return parse(raw, issuer, func(document *guard.Object, issuer string) (*AuthorizationServer, error) {
		return readAuthorizationServer(document, issuer, Given{})
	})
}

// ParseProtectedResource is the same for that of a resource.
func ParseProtectedResource(raw []byte, resource string) (*ProtectedResource, error) {
	return parse(raw, resource, readProtectedResource)
}

func parse[T any](raw []byte, subject string, read func(*guard.Object, string) (*T, error)) (*T, error) {
	object, err := guard.ParseObject(raw)
	if problem, ok := errors.AsType[guard.FieldError](err); ok {
		return nil, invalid(subject, problem)
	}
	return read(object, subject)
}
