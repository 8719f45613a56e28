package oauth

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// An Inspector asks a server what a credential holds, in the way that the provider's
// file gives for its kind: the provider's own self-inspection, or RFC 7662. About a login for
// whose kind it gives none, it asks as the server's metadata offers: by RFC 7662, else by
// OpenID Connect's userinfo, which says only whether the credential is accepted. Safe for
// concurrent use while nobody changes the fields.
type Inspector struct {
	// HTTP sends the question; it stands on [trust.Policy.Guard]. nil is a client that trusts
	// this machine alone.
	HTTP     *http.Client
	Provider *provider.Provider
	Server   provider.Server // which is asked
	// Metadata returns that of a server; it is not read where the provider's file names a URL.
	// nil: only such a URL can be asked.
	Metadata func(ctx context.Context, s provider.Server) (*metadata.AuthorizationServer, error)
	// Client returns the client of an id at a server, which is who introspects. nil: it is a public one.
	Client func(ctx context.Context, at provider.Server, id string) (client.Client, error)
	Now    func() time.Time // for Retry-After; nil means [time.Now]
	// Wait waits out a short 429; nil is a timer. See [guard.Requester].
	Wait func(ctx context.Context, d time.Duration) error
	// Note is told what a response held that could not be read and was left out. nil: nobody.
	Note func(sentence string)
}

// Inspect returns the same credential with what the server says that it holds; of what
// the server does not say, what was known counts. A request takes at most 10 s, and there is
// one, or one for each way that the provider's file gives until one tells, or two where an advertised
// way leads nowhere; a 429 that asks for less than 5 s is waited out once.
//
// Errors: *[NoInspectionError] where nobody can be asked; *[RejectedError] where the
// server does not know the credential; *[trust.UntrustedHostError]; ctx's own; those of
// Metadata; and *[UnansweredError] for everything else that is not a plain response, so
// that a server in trouble never looks like a missing scope.
func (i *Inspector) Inspect(ctx context.Context, c *credential.Credential) (*credential.Credential, error) {
	said, err := i.inspect(ctx, i.Server, c)
	if err != nil {
		return nil, err
	}
	return c.Told(said.Grant, said.account), nil
}

// A told is what a server says of a credential.
type told struct {
	scopes.Grant
	account string // whose it is, in a name fit for a line; "" where it does not say
}

// inspect asks one server; what it does not say is as it was known.
func (i *Inspector) inspect(ctx context.Context, server provider.Server, c *credential.Credential) (told, error) {
	said, err := i.ask(ctx, server, c)
	if err != nil {
		return told{}, err
	}
	said.Source = c.Source
	if said.ExpiresAt.IsZero() {
		said.ExpiresAt = c.ExpiresAt
	}
	if said.Kind == scopes.UnknownKind && c.Kind != "" {
		said.Kind = c.Kind
	}
	return said, nil
}

// ask asks in the ways that the provider's file gives, in their order, until one tells what the
// credential holds; about a login for which it gives none, in those that the server advertises.
func (i *Inspector) ask(ctx context.Context, server provider.Server, c *credential.Credential) (told, error) {
	if !credential.IsSendable(c.Access.Reveal()) {
		return told{}, &apikey.BadKeyError{Problem: apikey.Unsendable}
	}
	kind := c.KindAt(i.Provider)
	if len(kind.Inspect) == 0 {
		return i.askAsAdvertised(ctx, server, kind, c)
	}
	var best answer
	for n, way := range kind.Inspect {
		said, err := i.askBy(ctx, way, server, kind, c)
		if err == nil && !said.KnownBy.Unlisted() || ctx.Err() != nil {
			return said, err
		}
		if one := (answer{said, err}); n == 0 || one.rank() > best.rank() {
			best = one
		}
	}
	return best.told, best.err
}

// An answer is what came of one way to ask.
type answer struct {
	told
	err error
}

// rank orders answers by how much they tell: one that the credential is good, or has ended, more than
// none, and none more than that the credential is not known, for that may be so in this way alone.
func (a answer) rank() int {
	_, nobody := errors.AsType[*NoInspectionError](a.err)
	rejected, ok := errors.AsType[*RejectedError](a.err)
	switch {
	case a.err == nil:
		return 4
	case ok && rejected.Expired:
		return 3
	case nobody:
		return 0
	case ok:
		return 1
	}
	return 2
}

// askBy asks in one of the ways that the provider's file gives.
func (i *Inspector) askBy(ctx context.Context, way provider.Inspection, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (told, error) {
	if !way.Introspection {
		return i.inspectItself(ctx, way, server, kind, c)
	}
	none := &NoInspectionError{Label: kind.Label, Server: server.Name}
	if i.Metadata == nil {
		return told{}, none
	}
	known, err := i.Metadata(ctx, server)
	switch {
	case err != nil:
		return told{}, err
	case known.IntrospectionEndpoint == "":
		return told{}, none
	}
	return i.introspect(ctx, known.IntrospectionEndpoint, way, server, kind, c)
}

// askAsAdvertised asks about a login by what the server's metadata names: introspection (RFC
// 7662) says what it holds, userinfo (OpenID Connect Core §5.3) only whether it is accepted. A
// server that refuses whoever asks says nothing of the credential: nobody can be asked then.
func (i *Inspector) askAsAdvertised(ctx context.Context, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (told, error) {
	none := &NoInspectionError{Label: kind.Label, Server: server.Name}
	if i.Metadata == nil || !c.Issued() {
		return told{}, none
	}
	known, err := i.Metadata(ctx, server)
	if err != nil {
		return told{}, unanswered(err)
	}
	if known.IntrospectionEndpoint != "" {
		said, err := i.introspect(ctx, known.IntrospectionEndpoint, provider.Inspection{Introspection: true}, server, kind, c)
		if !refusesToAnswer(err) {
			return said, err
		}
		none.Why = err.Error()
	}
	if known.UserinfoEndpoint != "" && c.Scopes.Has(openIDScope) {
		err := i.userinfo(ctx, known.UserinfoEndpoint, c)
		if !refusesToAnswer(err) {
			return told{Grant: c.Grant}, err
		}
		none.Why = err.Error()
	}
	return told{}, none
}

// openIDScope is the scope with which a server serves userinfo (OpenID Connect Core §5.3).
const openIDScope = "openid"

// refusesToAnswer reports whether an error is of a server that refuses the question, whatever is
// asked, or of one that may not be asked.
func refusesToAnswer(err error) bool {
	if _, untrusted := errors.AsType[*trust.UntrustedHostError](err); untrusted {
		return true
	}
	e, silent := errors.AsType[*UnansweredError](err)
	return silent && e.Refused()
}

// userinfo asks whether the server accepts the credential; nil where it does.
func (i *Inspector) userinfo(ctx context.Context, endpoint string, c *credential.Credential) error {
	response, err := i.get(ctx, endpoint, c)
	if err != nil {
		return err
	}
	return readUserinfo(response)
}

// inspectItself sends a request with the credential as its own proof.
func (i *Inspector) inspectItself(ctx context.Context, way provider.Inspection, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (told, error) {
	target, ok := server.Expand(way.URL)
	if !ok {
		return told{}, &NoInspectionError{Label: kind.Label, Server: server.Name}
	}
	q, err := inspectionOf(way, kind.Send, target, c.Access)
	if err != nil {
		return told{}, err
	}
	response, err := i.send(ctx, q, c.Access)
	if err != nil {
		return told{}, err
	}
	return i.read(response, way, server, kind, c)
}

// read is what the response to an inspection says. Where that names no scopes, what the credential
// holds is as it was known before.
func (i *Inspector) read(response *guard.Response, way provider.Inspection, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (told, error) {
	said, err := i.readInspection(response, way, kind, c.Asked)
	if err == nil && !way.Introspection && !fits(way.Denied, response) {
		err = i.failedInside(response, way, said.KnownBy != "")
	}
	if err != nil {
		return told{}, i.explained(err, response, way, server)
	}
	if said.KnownBy == "" && c.KnownBy != "" {
		said.KnownBy, said.Scopes, said.Reach = c.KnownBy, c.Scopes, c.Reach
	}
	said.Grant = kind.Of(said.Grant)
	said.KnownBy = cmp.Or(said.KnownBy, scopes.Accepted)
	said.Server, said.Prefix = server.Name, c.Access.Shown(kind)
	return said, nil
}

// introspect is RFC 7662 §2.1, or the same in JSON for servers that want it so. Who asks is the
// token itself where the provider's file says so, else the client to which it was given.
func (i *Inspector) introspect(ctx context.Context, endpoint string, way provider.Inspection, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (told, error) {
	members, header := map[string]string{"token": c.Access.Reveal()}, make(http.Header)
	bearer, secrets := &c.Access, []credential.Secret{c.Access}
	if !way.Bearer {
		who, err := i.clientAt(ctx, server, c)
		if err != nil {
			return told{}, err
		}
		bearer, secrets = nil, append(secrets, who.Secret)
		who.Authenticate(header, func(name, value string) { members[name] = value })
	}
	body, contentType, err := encodeMembers(members, way.JSON)
	if err != nil {
		return told{}, err
	}
	header.Set("Content-Type", contentType)
	response, err := i.send(ctx, question{method: http.MethodPost, target: endpoint, header: header, body: body, bearer: bearer}, secrets...)
	if err != nil {
		return told{}, err
	}
	said, err := i.read(response, way, server, kind, c)
	if err == nil && said.KnownBy == scopes.Accepted && c.KnownBy == "" && !way.AbsentUnknown {
		return told{}, unclearInspection(response, "JSON without a usable %q", scopesPlace(way))
	}
	return said, err
}

func (i *Inspector) now() time.Time {
	if i.Now == nil {
		return time.Now()
	}
	return i.Now()
}

// clientAt is the client as which this program asks a server: that to which the server gave
// the credential, else that of the provider's file.
func (i *Inspector) clientAt(ctx context.Context, server provider.Server, c *credential.Credential) (client.Client, error) {
	id := cmp.Or(i.Provider.Client.IDFor(server.Name), c.ClientID)
	if c.ClientID != "" && c.Issuer == server.Issuer {
		id = c.ClientID
	}
	if i.Client == nil {
		return client.Public(id), nil
	}
	return i.Client(ctx, server, id)
}

// get asks with the credential as its own proof.
func (i *Inspector) get(ctx context.Context, target string, c *credential.Credential) (*guard.Response, error) {
	return i.send(ctx, question{method: http.MethodGet, target: target, bearer: &c.Access}, c.Access)
}

// send sends a question, which carries these secrets.
func (i *Inspector) send(ctx context.Context, q question, secrets ...credential.Secret) (*guard.Response, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.method, q.target, bytes.NewReader(q.body))
	if err != nil {
		return nil, errNoRequest // the URL may hold the credential
	}
	maps.Copy(req.Header, q.header)
	if q.bearer != nil {
		req.Header.Set("Authorization", "Bearer "+q.bearer.Reveal())
	}
	response, err := sendBy(&guard.Requester{Bound: true, HTTP: orLoopback(i.HTTP), Now: i.Now, Wait: i.Wait, Waits: tellingOfWaits(i.Note)}, req, credential.VeilOver(i.Provider, secrets...))
	if err != nil && outer.Err() != nil {
		return nil, context.Cause(outer)
	}
	if err != nil {
		return nil, unanswered(err)
	}
	return response, nil
}

// elsewhereTimeout bounds the look at all other servers together: someone already
// waits with a refusal, and this only explains it.
const elsewhereTimeout = 3 * time.Second

// Inquire asks the server whether it knows a credential that was refused, and where it
// does not, all those other servers that the provider's file marks for that: at once,
// and for 3 s at most. It ends with the first in the file's order that knows it.
func (i *Inspector) Inquire(ctx context.Context, c *credential.Credential) credential.Inquiry {
	here := i.outcome(ctx, i.Server, c)
	if here.Standing != credential.StandingNotKnown {
		return credential.Inquiry{here}
	}
	return append(credential.Inquiry{here}, i.elsewhere(ctx, c)...)
}

func (i *Inspector) elsewhere(ctx context.Context, c *credential.Credential) credential.Inquiry {
	ctx, cancel := context.WithTimeoutCause(ctx, elsewhereTimeout, fmt.Errorf("no answer within %s", elsewhereTimeout))
	defer cancel()
	var pending []chan credential.Outcome
	for _, s := range i.Provider.Servers {
		if !s.AskOn401 || s.Name == i.Server.Name {
			continue
		}
		outcome := make(chan credential.Outcome, 1)
		pending = append(pending, outcome)
		go func() { outcome <- i.outcome(ctx, s, c) }()
	}
	var outcomes credential.Inquiry
	for _, outcome := range pending {
		o := <-outcome
		if outcomes = append(outcomes, o); o.Standing == credential.StandingKnown {
			break
		}
	}
	return outcomes
}

// outcome asks one server, and tells apart what came of it.
func (i *Inspector) outcome(ctx context.Context, server provider.Server, c *credential.Credential) credential.Outcome {
	said, err := i.inspect(ctx, server, c)
	o := credential.Outcome{Server: server.Name, Grant: said.Grant, Account: said.account, Err: err, Standing: credential.StandingNoAnswer}
	refused, rejected := errors.AsType[*RejectedError](err)
	_, cannotAsk := errors.AsType[*NoInspectionError](err)
	switch {
	case err == nil:
		o.Standing = credential.StandingKnown
	case rejected && refused.Expired:
		o.Standing = credential.StandingExpired
	case rejected:
		o.Standing = credential.StandingNotKnown
	case cannotAsk:
		o.Standing = credential.StandingNotAsked
	}
	return o
}
