// Package metadata reads what servers say of themselves.
//
// An authorization server publishes its endpoints and the scopes it knows in a
// document at a well-known place (RFC 8414, or OpenID Connect Discovery 1.0,
// which came first). A protected resource does the same and names its
// authorization servers (RFC 9728). And a server that refuses a request says in
// the WWW-Authenticate field what it would have wanted (RFC 9110
// §11.6.1, RFC 6750 §3).
//
// # Reading a document
//
// [Client.AuthorizationServer] requests the URLs at which an issuer may have put
// its document, in this order:
//
//  1. RFC 8414: /.well-known/oauth-authorization-server inserted before the
//     issuer's path;
//  2. OpenID discovery: /.well-known/openid-configuration appended to it;
//  3. the same inserted before it, as RFC 8414 §5 allows.
//
// A URL that answers with a 4xx status, with a page of HTML, or with a redirect
// that ends in one has no document, and the next is requested. Of a server that
// fails (5xx, 429, no response) no other URL is requested: that is trouble, not
// absence. Then the last document that was read is used again, of whatever age,
// and [Source] says so; without one the call ends in an [Error].
//
// # What is believed
//
// Everything that comes from outside is hostile until parsed: the response, its
// header fields, and the file in the cache too. A document must name the very
// issuer (or resource) that was asked for; every URL in it must be https, or
// http on this machine; and the document of a server elsewhere may not name an
// address of this machine, or credentials could be led to a local port. A
// document without a usable issuer, authorization or token endpoint is refused,
// with all wrong fields named by their wire names. Every other field that breaks
// a rule is left out, as if it were absent, with a warning in [Source]. Text from
// outside is escaped and cut before it stands in an error or warning.
//
// scopes_supported is a hint with three readings; see [scopes.Advertisement].
//
// # The cache
//
// With [Client.CacheDir] set, a document is kept in one file per subject. While it
// is fresh (Cache-Control and Expires, 5 minutes if the server says nothing, 24
// hours at most) nothing is sent. After that the server is asked whether the
// document has changed (If-None-Match). The trust in a certificate has no part in
// it: another CA file does not make a cached document invalid.
package metadata
