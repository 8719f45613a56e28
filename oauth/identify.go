package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// accountMembers tell who somebody is (OpenID Connect Core §5.1), the one by which people know an
// account best first.
var accountMembers = []string{"email", "preferred_username", "name"}

// maxSubject is how long a sub may be, in bytes (OpenID Connect Core §2).
const maxSubject = 255

// accountTimeout bounds the questions who is logged in: the new credential is not stored before,
// and the person waits at the browser's last page.
const accountTimeout = 5 * time.Second

// nameIn is who the claims are about, in a name for people; "" where they tell none.
func nameIn(claims *guard.Object) string {
	for _, member := range accountMembers {
		if name := shownName(claims.Text(member)); name != "" {
			return name
		}
	}
	return ""
}

// accountIn is whose login a token response is of, where the provider's file says where it stands; "" for nobody.
// A token that stands there is no name.
func accountIn(response *guard.Object, p *provider.Provider, c *credential.Credential) string {
	over := credential.VeilOver(p, c.Access, c.Refresh)
	var veiled []any
	for _, name := range provider.Texts(p.TokenResponse.Account.Find(response.Value())) {
		veiled = append(veiled, string(over.Bytes([]byte(name))))
	}
	return firstName(veiled)
}

// shownName is a name from a server, fit for a line.
func shownName(name string) string {
	return text.Line(text.Cut(strings.TrimSpace(name), text.MaxWord))
}

// subjectIn is the identifier of whom the claims are about; "" where there is none.
func subjectIn(claims *guard.Object) string {
	if subject := claims.Text("sub"); len(subject) <= maxSubject {
		return subject
	}
	return ""
}

// Identify returns the same credential with the account that it is for, where something tells: what is known,
// as by the ID token of a login or its token response, else OpenID Connect's userinfo, else what the provider's file names, and
// at last the bare identifier of one of the first two. It takes at most 5 s. The error says what
// was asked in vain, and comes with the credential all the same.
func (i *Inspector) Identify(ctx context.Context, c *credential.Credential) (*credential.Credential, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, accountTimeout, fmt.Errorf("no answer within %s", accountTimeout))
	defer cancel()
	named := *c
	var failed error
	for _, ask := range []func(context.Context, *credential.Credential) error{i.askUserinfo, i.askWhoami} {
		if named.Account == "" {
			failed = errors.Join(failed, ask(ctx, &named))
		}
	}
	named.Account = cmp.Or(named.Account, shownName(named.Subject))
	return &named, failed
}

// askUserinfo asks the endpoint of OpenID Connect Core §5.3 whose credential c is. What it says of
// another one than the ID token does is not used (§5.3.2).
func (i *Inspector) askUserinfo(ctx context.Context, c *credential.Credential) error {
	if !c.Issued() || !c.Scopes.Has(openIDScope) || i.Metadata == nil {
		return nil
	}
	known, err := i.Metadata(ctx, i.Server)
	if err != nil || known.UserinfoEndpoint == "" {
		return err
	}
	response, err := i.get(ctx, known.UserinfoEndpoint, c)
	if err != nil {
		return err
	}
	if err := readUserinfo(response); err != nil {
		return err
	}
	claims, err := response.Object()
	if err != nil {
		return unclearInspection(response, "a body that %v", err)
	}
	subject := subjectIn(claims)
	if c.Subject != "" && subject != c.Subject {
		return unclearInspection(response, "a %q that is not that of the ID token", "sub")
	}
	c.Subject, c.Account = subject, nameIn(claims)
	return nil
}

// askWhoami asks as the provider's file says.
func (i *Inspector) askWhoami(ctx context.Context, c *credential.Credential) error {
	how, kind := i.Provider.Whoami, c.KindAt(i.Provider)
	target, ok := i.Server.Expand(how.Ask.URL)
	if how.Ask.URL == "" || !ok || !kind.Serves(how.Ask.Base()) {
		return nil
	}
	if !c.Issued() && slices.ContainsFunc(kind.Inspect, func(way provider.Inspection) bool { return way.URL == how.Ask.URL && way.Account.Given() }) {
		return nil // it was asked when the key was looked at
	}
	if need := (scopes.Need{AnyOf: []string{how.Scope}}); how.Scope != "" && !c.KnownBy.Unlisted() {
		if _, _, met := need.MetBy(c.Scopes, i.Provider.Implies); !met {
			return nil // it would be refused
		}
	}
	q, err := inspectionOf(how.Ask, kind.Send, target, c.Access)
	if err != nil {
		return err
	}
	response, err := i.send(ctx, q, c.Access)
	if err != nil {
		return err
	}
	if !scopes.Succeeded(response.Status) {
		return unclearInspection(response, "status %s", guard.StatusText(response.Status))
	}
	body := response.Value()
	if _, err := response.Object(); body == nil && err != nil && how.Ask.Account.InBody() {
		return unclearInspection(response, "a body that %v", err)
	}
	if c.Account = firstName(how.Ask.Account.Find(response.Header, body)); c.Account == "" {
		return unclearInspection(response, "a response without a usable %q", how.Ask.Account)
	}
	return nil
}

// firstName is the first name among values, fit for a line; "" where there is none.
func firstName(values []any) string {
	for _, found := range provider.Texts(values) {
		if name := shownName(found); name != "" {
			return name
		}
	}
	return ""
}
