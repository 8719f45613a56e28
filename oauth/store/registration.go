package store

import (
	"context"

	"github.com/ambit-auth/ambit/oauth/client"
)

// RegistrationKey is the key under which the client is kept that a server registered for the
// program of a manifest (RFC 7591). No login has it: no client id that anyone can write has a NUL.
func RegistrationKey(issuer, manifest string) Key {
	return Key{Issuer: issuer, ClientID: "\x00registration", Manifest: manifest}
}

// OldRegistrationKey is the key of a client that another has replaced, and to which the login of
// another account still belongs.
func OldRegistrationKey(issuer, manifest, id string) Key {
	return Key{Issuer: issuer, ClientID: "\x00registration\x00" + id, Manifest: manifest}
}

// LoadRegistration returns the client that is kept under such a key. Errors are those of Load; a
// record of something else is a *[CorruptError].
func LoadRegistration(ctx context.Context, in Store, key Key) (*client.Registered, error) {
	c, err := in.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	r, err := client.FromCredential(c, key.Issuer)
	if err != nil {
		return nil, &CorruptError{Store: in.Name(), Problem: err.Error()}
	}
	return r, nil
}
