// Package ambit is the front door of a declarative OAuth scope negotiator, for any Go program:
// a manifest in, an authorized [http.Client] out.
//
//	session, err := ambit.Open("", ambit.Options{UI: ambit.Terminal()}) // the nearest scopes.yaml
//	client, err := session.Client(ctx)                                 // logs in where nobody has
//	response, err := client.Get(client.URL("{api}/api/users/@me/"))    // the credential goes to the provider alone
//
// [Session.Plan] and [Session.Login] are the same in steps, for a program that shows what it
// will ask for; [Session.FindStored] tells what is there without asking anyone. A program that
// embeds its manifest begins with [manifest.Decode] and [New].
//
// A [Session] does what the commands do, and holds to the same rules: a credential goes only to
// hosts that this user trusts, refresh tokens rotate under one lock of all processes, what
// could not be kept is revoked, and a required scope that cannot be had stops a login before a
// browser opens. A refused request is a *[RefusedError] that says which declared scope is
// missing, or that no scope is the cause. A login that lacks one is widened, where someone agrees:
//
//	wider, err := session.Widen(ctx, refused.Verdict.Wanted()...)
//	held, err := wider.Login(ctx, nil)   // one consent for this, and for all that the login holds
//	client, err = session.Client(ctx)    // with the new login
//
// A caller branches on few errors: [ErrNoCredential] (log in), [ErrNobody] (a login needs a
// person), *[MissingError] (scopes), *[RefusedError], *[UntrustedHostError], and an
// *[credential.SessionLostError] where only another login helps. The packages below are for those
// who need a part: scopes decides, metadata reads what servers say of themselves, oauth gets
// and keeps credentials, agent lends one to a child program.
package ambit

import _ "embed"

// ExampleManifest is the text of the scopes.yaml in the root of this module: what the sandbox
// and the demo work with, and an example to begin from.
//
//go:embed scopes.yaml
var ExampleManifest []byte
