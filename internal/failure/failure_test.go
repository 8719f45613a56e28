package failure

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// What can go wrong around a credential has an exit code and a way out: the fault of
// ambit is what nobody foresaw. The scripts show those that a sandbox can bring about.
func TestCredentialFailures(t *testing.T) {
	unreachable := &guard.Error{Kind: guard.KindUnreachable, Host: "as.example.com"}
	certificate := &guard.Error{Kind: guard.KindTLS, Host: "as.example.com", Err: x509.UnknownAuthorityError{}}
	expired := &guard.Error{Kind: guard.KindTLS, Host: "as.example.com", Err: x509.CertificateInvalidError{Reason: x509.Expired}}
	directory := &fs.PathError{Op: "open", Path: "/state/locks", Err: fs.ErrPermission}
	for name, c := range map[string]struct {
		err  error
		code int
		hint string // part of it
	}{
		"a bad ID token":               {&oauth.ProtocolError{Err: fmt.Errorf("no")}, ExitCannotTell, "nothing was kept"},
		"a registration of no use":     {&oauth.ResponseError{Endpoint: oauth.RegistrationEndpoint, Problem: "no"}, ExitCannotTell, "try again"},
		"a registration in trouble":    {&oauth.ResponseError{Endpoint: oauth.RegistrationEndpoint, Status: 503, Problem: "no"}, ExitCannotTell, "try again"},
		"a registration refused":       {&oauth.ResponseError{Endpoint: oauth.RegistrationEndpoint, Status: 400, Code: "invalid_redirect_uri"}, ExitNoCredential, "client id"},
		"a registration that is shut":  {&oauth.ResponseError{Endpoint: oauth.RegistrationEndpoint, Status: 403, Problem: "no"}, ExitNoCredential, ""},
		"no keys for an ID token":      {&oauth.ProtocolError{Err: unreachable}, ExitCannotTell, "check the address"},
		"a certificate":                {certificate, ExitCannotTell, "--ca-file"},
		"a certificate, asking":        {&oauth.UnansweredError{Err: certificate}, ExitCannotTell, "--ca-file"},
		"a certificate, of the keys":   {&oauth.ProtocolError{Err: certificate}, ExitCannotTell, "--ca-file"},
		"an old certificate":           {expired, ExitCannotTell, "clock"},
		"an old certificate, asking":   {&oauth.UnansweredError{Err: expired}, ExitCannotTell, "clock"},
		"a connection that broke":      {&guard.Error{Kind: guard.KindUnreachable, Reached: true}, ExitCannotTell, "the server was reached"},
		"a proxy between, asking":      {&oauth.UnansweredError{Status: 407, What: "status 407"}, ExitCannotTell, "HTTPS_PROXY"},
		"another resource":             {&guard.Error{Kind: guard.KindInvalid, Field: "resource"}, ExitCannotTell, "the base's URL"},
		"a broken document":            {&guard.Error{Kind: guard.KindInvalid, Field: "scopes_supported"}, ExitCannotTell, "operator"},
		"a directory that is not ours": {fmt.Errorf("keeping: %w", directory), ExitUsage, "XDG_STATE_HOME"},
		"a lock in such a directory":   {&store.LockError{Path: directory.Path, Err: directory}, ExitUsage, "XDG_STATE_HOME"},
		"a lock that another holds":    {&store.LockError{Path: directory.Path, Err: context.DeadlineExceeded}, ExitNoCredential, "another ambit"},
		"a disk without locks":         {&store.LockError{Path: directory.Path, Err: syscall.ENOLCK}, ExitUsage, "XDG_STATE_HOME"},
		"a disk without flock":         {&store.LockError{Path: directory.Path, Err: syscall.EOPNOTSUPP}, ExitUsage, "XDG_STATE_HOME"},
		"a lock on a read-only disk":   {&store.LockError{Path: directory.Path, Err: &fs.PathError{Op: "open", Path: directory.Path, Err: syscall.EROFS}}, ExitUsage, "XDG_STATE_HOME"},
		"a keyring that is too small":  {&store.NotKeptError{Store: store.Keyring{}.Name(), Problem: "has no room"}, ExitUsage, "--store file"},
		"a file that is too small":     {&store.NotKeptError{Store: store.File{}.Name(), Problem: "has no room"}, ExitUsage, "--store memory"},
		"a full disk":                  {&fs.PathError{Op: "write", Path: "/state/x", Err: syscall.ENOSPC}, ExitUsage, "make room"},
		"a quota that is used up":      {&fs.PathError{Op: "sync", Path: "/state/x", Err: syscall.EDQUOT}, ExitUsage, "make room"},
		"a login on a full disk":       {&ambit.StoreError{Err: &fs.PathError{Op: "sync", Path: "/state/x", Err: syscall.EDQUOT}}, ExitUsage, "make room on that disk, or"},
		"a key that cannot be read":    {&apikey.BadKeyError{Source: "standard input", Err: directory}, ExitNoCredential, ""},
	} {
		if f := As(Of(nil, c.err)); f.Code != c.code || !strings.Contains(f.Hint, c.hint) {
			t.Errorf("%s: exit %d with the hint %q, want %d with %q", name, f.Code, f.Hint, c.code, c.hint)
		}
	}
}

// A client that the server does not know is named where that is sure, and a login helps
// only where it registers a new one.
func TestUnknownClient(t *testing.T) {
	refusal := &oauth.ResponseError{Endpoint: oauth.TokenEndpoint, Code: "invalid_client"}
	for want, client := range map[string]provider.Client{
		`the client id "mine" is not registered there, or not as a public client`:                  {ID: "mine"},
		"the client id is not registered there, or not as a public client":                         {IDs: map[string]string{"us": "ours"}},
		`the client id "kept" is not registered there, or its secret (the variable APP_SECRET) or`: {ID: "kept", Secret: provider.SecretSource{Variable: "APP_SECRET"}},
		"the server does not accept a client that it registered itself":                            {},
	} {
		p, err := ambit.New(&manifest.Manifest{
			File:     ambit.ManifestName,
			Provider: &provider.Provider{Client: client, Servers: []provider.Server{{Name: "us"}}, DefaultServer: "us"},
		}, ambit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f := As(Of(p, refusal)); !strings.HasPrefix(f.Hint, want) {
			t.Errorf("%+v: the hint is %q, want %q", client, f.Hint, want)
		}
	}
}
