// Package oauth gets, keeps and renews a credential, and asks what it holds.
//
// # A credential
//
// A [credential.Credential] is an OAuth access token or an API key, with what is known of it: of
// which kind it is, when it ends, which scopes it holds and who said so. What it holds
// is what the server says, never what was asked for: the token response's scope (RFC 6749
// §5.1), else a scope in the token itself, where that is a JWT, else introspection or the provider's
// own self-inspection ([Inspector]); if nobody tells, it is "assumed". The secret part lies in a [credential.Secret], which no formatting
// verb, logger or encoder can show.
//
// # Trust
//
// A credential is bound to hosts. [trust.Policy] knows those of the built-in provider and those
// that this user confirmed once ([trust.File]); a file in a repository adds none.
// [trust.Policy.Guard] puts that under every HTTP client of this package, so that nothing is
// sent elsewhere, whatever a provider file, a metadata document or a redirect says. A
// nil client in any struct here is one that trusts this machine alone.
//
// # A login
//
// [Login] is the authorization code flow (RFC 6749 §4.1) with PKCE S256 (RFC 7636) for
// a native client (RFC 8252): a listener on loopback, a browser, and a way to
// paste the response where the browser is on another machine. The response must have the
// right state, come to the very redirect URI, and be from the right issuer (RFC 9207).
// The code is exchanged before the browser gets its last page, so that page can say what
// was granted. The pages are the caller's; their headers are locked up here.
//
// [Login.RunDevice] is the same for a person at another device (RFC 8628): they enter a code there,
// and nothing listens or opens here.
//
// Who asks is a [client.Client]: public, with a secret, or with a key. What a server does not know of
// this program it can be told by [Registration] (RFC 7591), and what is not needed any more is given
// back by [Revocation] (RFC 7009). A client that gets tokens for itself (RFC 6749 §4.4) needs no login:
// [Renewer] gets its first token as it gets the later ones. Who is logged in [Inspector.Identify] asks,
// where the ID token did not tell.
//
// # Keeping it
//
// A [store.Store] keeps credentials, each under a [store.Key]: in the system's keyring
// ([store.Keyring]), in files that only the user can read ([store.File]), for one run
// ([store.Memory]), or by a program of the user's ([store.Exec]). [Renewer] renews a stored one
// under the store's lease, so that a rotating refresh token is sent once (RFC 9700 §4.14.2).
//
// # API keys
//
// [apikey.Find] looks in the places where a key may be, in a fixed order; [apikey.Read] takes
// off what people paste around it, and refuses what can be no key before anything is
// sent.
//
// # Errors
//
// Each type of error answers a question that a caller has:
//
//   - *[trust.UntrustedHostError]: which hosts would have got a credential and may not?
//   - *[AuthorizationError]: what did the server, or the person, refuse in the browser?
//   - *[ResponseError]: what does an endpoint refuse, and may it succeed later?
//   - *[IssuerError]: is the authorization response from another server?
//   - *[ProtocolError]: can no login be made with this server as it is?
//   - *[credential.SessionLostError], *[credential.RenewalDeniedError]: does only another login help,
//     or one who lets this client renew it?
//   - *[RejectedError], *[UnansweredError], *[NoInspectionError]: does the server know the
//     credential, did it not say, or can nobody be asked?
//   - *[apikey.BadKeyError]: what is wrong with the text that was given for a key?
//   - *[store.NoKeyringError], *[store.HelperError], *[store.LockError], *[store.NotKeptError],
//     *[store.CorruptError]: what keeps a store from being used, or one credential in it?
//   - *[store.FencedError], *[store.ChangedError]: has somebody else replaced the credential meanwhile?
//
// What has nothing more to say is a variable, such as [ErrLoginTimeout] and [ErrNotSaved].
//
// Trouble on the way to a server is a *[metadata.Error]. Words of a server are in an error,
// stripped of what could steer a terminal and cut to a length; a whole response never is,
// since it may hold a token.
//
// # What it does not do
//
// It makes up no client secret and ships none: a program on someone's machine cannot keep one, so
// whoever calls it brings their own. There are no implicit or password grants (RFC 9700 §2.1.2, §2.4).
// How a client authenticates itself is named, or read from the server's metadata, and never found out
// by trying: that burns codes and refresh tokens.
package oauth
