// Package sandbox is an authorization server, a REST API, an LLM gateway and an MCP
// server in one process on loopback. They behave as one real provider's do, and
// misbehave on request, so that a client can be tested against them without an
// account and without a network.
//
// Who is imitated is data: everything by which a stranger could tell the provider (its
// metadata, scopes, ceilings, keys, endpoints, wordings, tools) stands in the directory
// shape, and this code knows only OAuth, HTTP and JSON.
//
// # Servers
//
// There is one authorization server that knows every region, and one for each region
// with the REST API on the same origin. Each region has an LLM gateway, and all share
// an MCP server. What is issued in one region is unknown in the other: a plain 401. A
// login at the first server ends in the region where the person lives, and the token
// answer names it. [Sandbox.Ready] says where everything is; it marshals to one line of
// JSON, ambit.sandbox/v1.
//
// Start writes a provider file that registers six redirect ports which were free at the
// start, and, where it is given a manifest, a copy of that whose provider is this file.
// No other redirect URI is taken, not 127.0.0.1 for localhost, not a final slash.
//
// # Logging in
//
// The flow is the authorization code with PKCE S256 for a client that is
// public, unless the server gave it a secret (RFC 6749
// §4.1, RFC 7636); a code lives five minutes and works once. Each application has a
// ceiling of scopes; what is asked beyond it is left out without a word. The consent
// page shows the rest, and each scope but those that the application pins can be
// unticked. A login_hint with the address of another person of the shape has that one at the
// browser. [Options].Grant consents or denies without a click. Where the request says
// that the grant reaches one project, the page lets choose which, and team_id
// preselects one.
//
// Refresh tokens rotate; using one twice, or a code twice, ends the whole family at
// once, access tokens too. A refresh never widens a grant, and narrows it to the
// ceiling of the day. Revocation (RFC 7009) ends the family. A token asks about itself
// at the introspection endpoint (RFC 7662), in JSON or as a form, with itself as
// bearer. With openid there is an ID token, signed with RS256. Nobody can register a
// client unless a kind of misbehavior says so.
//
// Where a kind offers it, there is a login with a code for another device (RFC 8628): the page
// /device takes the code, and leads on to the same consent page. The token is asked for once a second,
// or else there is slow_down. With [Options].Grant consent is given or denied before
// the second request for the token.
//
// # Keys
//
// Five keys are promised: full holds every scope that a key can hold; no_gateway lacks
// the privileged ones, without which the gateway refuses; read_only holds those that
// read; expired is answered as an unknown key; other_region is like full, and known in
// the other region only. Their values are drawn anew at each start. More stand under
// more_keys: star (unrestricted), scoped_project (project 2 only), scoped_organization,
// no_scopes, no_product (good, but not for the gateway's product), project (it sends
// events and is not a login) and project_secret.
//
// # The API, the gateway and the MCP server
//
// An endpoint of the API needs all of its scopes; a write scope covers the same read
// one, and the unrestricted key covers all but internal ones. Refusals are word for
// word those of the provider, also those that no scope fixes: an action that takes no
// key (GET /api/personal_api_keys/), a project out of reach (scoped_project at project
// 1), an endpoint without a project (scoped_project at /api/organizations/), an
// organization that forbids keys (project 3), a resource without editor access (PATCH
// dashboard 403), a paid feature (POST batch_exports).
//
// The gateway speaks to the clients of models in their languages, which stand in the file
// shape/models.yaml: HEAD of the base, v1/messages (and count_tokens), v1/responses,
// v1/chat/completions, v1beta/models/{model}:generateContent (and streamGenerateContent,
// countTokens), whole or streamed, and v1/models, v1beta/models. No model is asked.
// Whatever is wrong with a credential, the answer is the same 401. A key in X-Api-Key or
// X-Goog-Api-Key decides over a bearer token beside it. For tests, ?events=N makes a
// reply of N pieces, and ?pause=10ms waits before each.
//
// The MCP server speaks streamable HTTP of both eras: up to 2025-11-25 (initialize, a
// session with its event stream and its end, ping) and 2026-07-28 (server/discover,
// subscriptions/listen, header fields that must equal the body); and in both tools/list
// and tools/call. Tools whose scopes the credential lacks are not listed, and unknown when
// called. A request without a session is served too.
//
// # Misbehavior
//
// [Kinds] lists what can go wrong. Each is named as kind, or as kind@part where it can
// strike one part of the service: metadata, authorize, token, revoke, inspect (wherever
// a credential asks about itself), userinfo, api, gateway, mcp or all. The first that
// fits is done. The kinds:
//
//	reject          a scope beyond the ceiling: invalid_scope, all such scopes named in error_description
//	reject-all      the same, and every scope that was asked for is named
//	no-scope        the token response has no scope member
//	empty-scope     nothing is granted, and scope is ""
//	more            more is granted than was asked for
//	wrong-iss       the callback carries another issuer's iss (RFC 9207)
//	short-lived     the access token of a login lives one second; refreshed ones live as usual
//	no-refresh      a login gets no refresh token
//	registers       whoever asks is registered as a client (RFC 7591), and may have what is listed
//	secret-basic    the same, and each gets a secret for client_secret_basic
//	secret-post     the same, for client_secret_post
//	bad-id-token    the signature of an ID token is that of another text
//	unknown-client  the token endpoint knows no client: invalid_client
//	other-person    whoever consents is another person, who lives in another region
//	device          a login with a code for another device is offered (RFC 8628)
//	device-short    the same, and a code lives two seconds
//	device-slow     the same, and the first request for the token is told slow_down
//	no-list         the metadata has no scopes_supported
//	empty-list      scopes_supported is []
//	wrong-issuer    the metadata names another issuer
//	foreign-scopes  the MCP server's resource document lists scopes that nobody knows
//	step-up         the MCP server lists every tool; a call without its scopes is a 403 that names them
//	event-stream    the MCP server answers each request as an event stream
//	legacy-mcp      the MCP server knows no revision after 2025-11-25
//	modern-mcp      the MCP server knows 2026-07-28 only
//	html-200        HTML with status 200 (metadata)
//	no-metadata     HTML with status 404 (metadata)
//	500             status 500 (all)
//	timeout         no answer until the client goes (all)
//	close           the connection is closed without an answer (all)
//	bad-json        JSON of another shape (all)
//	garbage         bytes that are no JSON (all)
//	cut             the answer begins well and is cut in the middle; a stream after three events (all)
//	slow            a third of a second before each piece of the answer (all)
//	429             Retry-After: 1, once for each part (all)
//	429-long        Retry-After: 60, always (all)
//
// # Control in mid-run
//
// [Sandbox.Shrink], [Sandbox.ExpireAll], [Sandbox.ForgetClients], [Sandbox.Misbehave],
// [Sandbox.Advertise] and [Sandbox.Requests] are there for other processes too, under the URL that the ready
// line calls control, with JSON bodies:
//
//	POST /sandbox/shrink      {"scopes": ["x:read"]}       from every token, key, ceiling and refresh
//	POST /sandbox/expire                                   every access token, now
//	POST /sandbox/forget                                   every registered client
//	POST /sandbox/misbehave   {"kinds": ["500@api"]}       in place of what was on; none: all is well
//	POST /sandbox/advertise   {"add": […], "remove": […]}  changes scopes_supported only
//	GET  /sandbox/requests                                 what was served: {"requests": [{time, server, part, method, host, path, status}]}
//	GET  /sandbox/state?after=N                            the same after the first N, with their number and what goes wrong: {requests, next, kinds}
//	GET  /sandbox/ready                                    the ready line again
//
// They answer {"ok": true}, or status 400 with {"ok": false, "error": …}. For browsers there is a page at
// the root of the first server: where everything is, the misbehavior as switches, the requests as they
// come. It stands under the server's own name alone, so that no other site takes its place.
//
// # What it is not
//
// The service keeps everything in memory and never forgets a grant; it is made for runs
// of minutes. It listens on loopback only and speaks plain HTTP. Everyone who can reach
// its ports on this machine can do what its control endpoints do.
package sandbox
