package refusal_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// known are the words that are scopes in these tests.
var known = refusal.Vocabulary{Scopes: scopes.NewSet("a:read", "b:write", "c", "c:admin", "contacts", "repo", "read", "write", "Mail.Read", "Mail.ReadWrite",
	"https://www.example.com/auth/drive", "https://www.example.com/auth/drive.readonly", "files-read", "issues=write", "pulls=write", "admin", "repository:a/b:pull,push")}

// Scopes are found wherever a response has them, in whichever words: groups stand between
// spaces, and of those with a | between any one is enough.
func TestFamilies(t *testing.T) {
	for name, tt := range map[string]struct {
		header string // "Name: value"
		body   string
		needs  string
	}{
		"a challenge":                        {`WWW-Authenticate: Bearer error="insufficient_scope", scope="a:read new:one"`, "", "a:read new:one"},
		"a challenge of another scheme":      {`WWW-Authenticate: DPoP error="insufficient_scope", scope="a:read"`, "", "a:read"},
		"a description":                      {`WWW-Authenticate: Bearer error="insufficient_scope", error_description="Required scope: write"`, "", "write"},
		"a description, words nobody knows":  {`WWW-Authenticate: Bearer error="insufficient_scope", error_description="Required scopes: publish, upload"`, "", "publish upload"},
		"no scope in a description":          {`WWW-Authenticate: Bearer error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token."`, "", ""},
		"a challenge without an error, told": {`WWW-Authenticate: Bearer scope="a:read b:write"`, "insufficient scope", "a:read b:write"},
		"a challenge without an error":       {`WWW-Authenticate: Bearer scope="a:read b:write"`, "", ""},
		"a missing header":                   {`X-Missing-Scope: a:read`, "", "a:read"},
		"a header with alternatives":         {`X-Accepted-Permissions: issues=write; pulls=write`, `{"error":"insufficient_scope"}`, "issues=write|pulls=write"},
		"accepted and held":                  {`OAuth-Scope-Accepted: a:read, b:write`, `{"error":"missing_scope"}`, "a:read|b:write"},
		"a policy":                           {`Permissions-Policy: contacts, read`, `{"error":"missing_scope"}`, ""},
		"camel":                              {"", `{"error":{"requiredScopes":["a:read","b:write"]}}`, "a:read b:write"},
		"snake":                              {"", `{"missing_scopes":"a:read,b:write"}`, "a:read b:write"},
		"kebab":                              {"", `{"errors":[{"required-scopes":"a:read b:write"}]}`, "a:read b:write"},
		"constant":                           {"", `{"MISSING_SCOPE":"new:one"}`, "new:one"},
		"nested":                             {"", `{"scopes":{"missing":["a:read"],"granted":["b:write"]}}`, "a:read"},
		"nested, the other way round":        {"", `{"missing":{"scopes":["a:read"]},"current":{"scopes":["b:write"]}}`, "a:read"},
		"objects":                            {"", `{"missing_scopes":[{"name":"a:read","description":"Contacts"},{"name":"new:one"}]}`, "a:read new:one"},
		"any of":                             {"", `{"required_scopes":{"any_of":["a:read","b:write"]}}`, "a:read|b:write"},
		"any of, in words":                   {"", `{"message":"One or more of the following scopes are required.","context":{"requiredScopes":["a:read","b:write"]}}`, "a:read|b:write"},
		"pipes":                              {"", `{"required_scope":"a:read|b:write"}`, "a:read|b:write"},
		"or":                                 {"", `{"required_scope":"a:read or b:write"}`, "a:read|b:write"},
		"and":                                {"", `{"required_scope":"a:read and b:write"}`, "a:read b:write"},
		"needed and provided":                {"", `{"ok":false,"error":"missing_scope","needed":"a:read","provided":"b:write,repo"}`, "a:read"},
		"permissions":                        {"", `{"missingPermissions":["contacts"]}`, "contacts"},
		"permissions nobody knows":           {"", `{"missingPermissions":["CREATE_PROJECT"]}`, ""},
		"a role":                             {"", `{"required_permission":"project administrator"}`, ""},
		"scope of a code":                    {"", `{"error":"insufficient_scope","scope":"new:one"}`, "new:one"},
		"scope of something else":            {"", `{"code":"forbidden","scope":"acme-projects"}`, ""},
		"requiredAccess":                     {"", "{\"errors\":[{\"message\":\"Access denied for x field.\",\"extensions\":{\"code\":\"ACCESS_DENIED\",\"requiredAccess\":\"`a:read` access scope.\"}}]}", "a:read"},
		"quotes that are not escaped":        {"", `{"error":"forbidden","message":"token lacks the "a:read" scope","status":403}`, "a:read"},
		"a member in what is not JSON":       {"", `{"message":"needs "more" of it","required_scopes":["a:read","b:write"],}`, "a:read b:write"},
		"an envelope":                        {"", `{"message":"{\"error\":{\"missing_scope\":\"a:read\"}}"}`, "a:read"},
		"an envelope behind words":           {"", `{"message":"upstream said 403: {\"required_scopes\":[\"a:read\"]}"}`, "a:read"},
		"an envelope in an envelope":         {"", `{"a":"{\"b\":\"{\\\"required_scope\\\":\\\"a:read\\\"}\"}"}`, "a:read"},
		"XML":                                {"Content-Type: application/xml", `<?xml version="1.0"?><Error><Code>AccessDenied</Code><RequiredScope>a:read</RequiredScope></Error>`, "a:read"},
		"a form":                             {"Content-Type: application/x-www-form-urlencoded", `error=insufficient_scope&scope=a%3Aread`, "a:read"},
		"plain text":                         {"", "This needs the scope a:read.", "a:read"},
		"a sentence, the":                    {"", `{"message":"This endpoint requires the a:read scope"}`, "a:read"},
		"single quotes":                      {"", `{"message":"missing 'a:read' permission"}`, "a:read"},
		"typographic quotes":                 {"", `{"message":"missing the “contacts” scope"}`, "contacts"},
		"backticks":                          {"", "{\"message\":\"requires `repo` or `write`\"}", "repo|write"},
		"brackets":                           {"", `{"message":"Missing scopes: [a:read, b:write]"}`, "a:read b:write"},
		"round brackets":                     {"", `{"message":"You do not have the required scope (a:read) to access this"}`, "a:read"},
		"plain words":                        {"", `{"message":"the scopes read and write are required"}`, "read write"},
		"plain words before":                 {"", `{"message":"requires the read or write scope"}`, "read|write"},
		"no scopes, though the words are":    {"", `{"message":"Please read a:reader, or write to support about your contacts and repo"}`, ""},
		"one of":                             {"", `{"message":"requires one of the following scopes: ['a:read', 'b:write'], but your token has only been granted the: ['repo'] scopes"}`, "a:read|b:write"},
		"held first":                         {"", `{"message":"Invalid scope(s): a:read, b:write. This endpoint requires the c:admin scope"}`, "c:admin"},
		"held after":                         {"", `{"message":"Required scopes: a:read. Provided scopes: b:write."}`, "a:read"},
		"held before, in words":              {"", `{"message":"The token has the scopes a:read and b:write, but c:admin is required."}`, "c:admin"},
		"does not have":                      {"", `{"message":"The token does not have the scope a:read."}`, "a:read"},
		"not been granted":                   {"", `{"message":"The app has not been granted a:read"}`, "a:read"},
		"URLs":                               {"", `{"message":"Insufficient permission: the scope https://www.example.com/auth/drive is missing."}`, "https://www.example.com/auth/drive"},
		"dotted":                             {"", `{"error":{"code":"Authorization_RequestDenied","message":"Missing scope permissions on the request. API requires one of 'Mail.Read, Mail.ReadWrite'. Scopes on the request 'repo'"}}`, "Mail.Read|Mail.ReadWrite"},
		"a slash":                            {"", `{"message":"needs scope a:read/b:write"}`, "a:read|b:write"},
		"German":                             {"", `{"message":"Für diese Anfrage fehlt die Berechtigung „a:read“."}`, "a:read"},
		"French":                             {"", `{"message":"La portée « contacts » est requise."}`, "contacts"},
		"Spanish":                            {"", `{"message":"Falta el permiso 'contacts' o 'repo'."}`, "contacts|repo"},
		"Japanese":                           {"", `{"message":"スコープ「contacts」が必要です"}`, "contacts"},
		"an event":                           {"Content-Type: text/event-stream", "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32001,\"message\":\"insufficient scope\",\"data\":{\"required_scopes\":[\"a:read\"]}}}\n\n", "a:read"},
		"a tool's challenge":                 {"", `{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[{"type":"text","text":"no"}],"_meta":{"mcp/www_authenticate":["Bearer error=\"insufficient_scope\", scope=\"a:read new:one\""]}}}`, "a:read new:one"},
		"a scope's name is part of a word":   {"", `{"message":"a:reading is required"}`, ""},
		"any of, behind expected":            {"", `{"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: a:read,b:write","errorCode":"insufficient_scope"}`, "a:read|b:write"},
		"does not contain":                   {"", `{"code":4711,"message":"Invalid access token, does not contain scopes:[a:read, b:write]."}`, "a:read b:write"},
		"invalid, and required":              {"", "{\"errors\":[{\"message\":\"Invalid scope: `write` required\"}]}", "write"},
		"a dash":                             {"", `{"message":"You are missing the following scopes - contacts, a:read"}`, "contacts a:read"},
		"equals":                             {"", `{"message":"token does not have at least one of required scope(s), required=[a:read], token scope=b:write"}`, "a:read"},
		"granted by":                         {"", `{"reason":"this action is granted by the permissions [a:read,b:write]"}`, "a:read|b:write"},
		"required and granted":               {"", `{"error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"required":["a:read"],"granted":["b:write","repo"]}}}`, "a:read"},
		"a feature besides":                  {"", `{"error":{"message":"(#10) This endpoint requires the 'contacts' permission or the 'Page Access' feature.","code":10}}`, "contacts"},
		"a role that has the permission":     {"", `{"message":"An admin role with the 'contacts' permission is required."}`, ""},
		"a limit":                            {"", `{"message":"Rate limit exceeded for the scope contacts"}`, ""},
		"held in brackets, plain words":      {"", `{"error_description":"Token scope (read, repo) is not sufficient, needs (write or c:admin)"}`, "write|c:admin"},
		"expected and got":                   {"", `{"detail":"Invalid scope. Expected contacts, got repo"}`, "contacts"},
		"the token's own":                    {"", `{"reason":"Token scopes insufficient","requiredScopes":"contacts a:read","tokenScopes":"read"}`, "contacts a:read"},
		"lines":                              {"", "Missing scopes:\n- contacts\n- a:read\n", "contacts a:read"},
		"Chinese":                            {"", `{"msg":"缺少权限：contacts"}`, "contacts"},
		"a role of that name":                {"", `{"message":"User lacks role 'read'"}`, ""},
		"expired, and what it held":          {"", `{"message":"token expired; scopes: contacts, repo"}`, ""},
		"a twin for administrators":          {"", `{"code":4711,"message":"Invalid access token, does not contain scopes:[c, c:admin]."}`, "c|c:admin"},
		"of the token":                       {"", `{"error":"insufficient_scope","token":{"scopes":["a:read"]},"required":["b:write"]}`, "b:write"},
		"what there is":                      {"", `{"error":"insufficient_scope","scopes_supported":["a:read","b:write"]}`, ""},
		"authorized and required":            {"", `{"message":"Authorized scopes: a:read. Required scopes: b:write."}`, "b:write"},
		"not needed":                         {"", `{"message":"Scope a:read is not needed here; your organization is disabled."}`, ""},
		"no longer needed":                   {"", `{"message":"You no longer need a:read"}`, ""},
		"not required any more":              {"", `{"message":"a:read isn't required any more, use /v2"}`, ""},
		"no need":                            {"", `{"message":"There is no need for the a:read scope. The link has expired."}`, ""},
		"not needed, in German":              {"", `{"message":"Der Scope a:read wird nicht benötigt"}`, ""},
		"not needed, in Spanish":             {"", `{"message":"El scope a:read no es necesario"}`, ""},
		"not needed, in French":              {"", `{"message":"Le scope a:read n'est pas nécessaire"}`, ""},
		"included":                           {"", `{"message":"Your token includes the required scope a:read, but account 7 is frozen"}`, ""},
		"required, and granted":              {"", `{"message":"Required scope a:read: granted. Required MFA: not passed."}`, ""},
		"none missing":                       {"", `{"message":"Missing scope: none. Required: a:read (present)"}`, ""},
		"a header for it":                    {"", `{"message":"Missing header X-Signature (required for a:read)"}`, ""},
		"it requires something":              {"", `{"message":"a:read requires step-up authentication"}`, ""},
		"funds for it":                       {"", `{"message":"Insufficient funds for a:read"}`, ""},
		"a signature for it":                 {"", `{"message":"Missing signature for scope a:read"}`, ""},
		"not with another":                   {"", `{"message":"Scope a:read must not be combined with b:write"}`, ""},
		"not among those of the token":       {"", `{"message":"'a:read' not in token scopes ['b:write','contacts']"}`, "a:read"},
		"in Markdown":                        {"", `{"message":"missing scope **a:read**"}`, "a:read"},
		"optional, and not":                  {"", `{"error":"insufficient_scope","optional_scopes":["b:write"],"deprecated_scopes":["contacts"],"required_scopes":["a:read"]}`, "a:read"},
		"a check that was passed":            {"", `{"checks":{"scope":{"required":"a:read","ok":true},"ip":{"ok":false}}}`, ""},
		"an example":                         {"", `{"error":"invalid_request","example":{"required_scopes":["a:read"]}}`, ""},
		"another step is needed":             {`WWW-Authenticate: Bearer error="insufficient_user_authentication", scope="a:read", acr_values="mfa"`, "", ""},
		"a body of opposite things":          {"", `{"message":"401: Unauthorized","code":0}`, ""},
		// A list of which one is enough is one need.
		"one of the following, commas":       {"", `{"error":{"code":"Forbidden","message":"Application is not authorized to perform this operation. Application must have one of the following scopes: a:read,b:write - Operation ID (for customer support): 00000000-0000"}}`, "a:read|b:write"},
		"one of those that nobody knows":     {"", `{"error":{"message":"{\r\n  \"Message\": \"Application is not authorized to perform this operation. Application must have one of the following scopes: Device.Read.All, Device.ReadWrite.All - Operation ID (for customer support): 0000 - Url: https://x.example/a.b\"\r\n}"}}`, "Device.Read.All|Device.ReadWrite.All"},
		"two that nobody knows":              {"", `{"message":"Missing scopes: new:one, new:two and new:three. See docs.example, or ask."}`, "new:one new:two new:three"},
		"must have at least one of":          {"", `{"message":"The token must have at least one of the following scopes: a:read, b:write"}`, "a:read|b:write"},
		"needs any of":                       {"", `{"message":"This endpoint needs any of these scopes: a:read, b:write, c:admin."}`, "a:read|b:write|c:admin"},
		"either, or":                         {"", `{"message":"Either the a:read or the b:write scope is required"}`, "a:read|b:write"},
		"one of, in a challenge's words":     {`WWW-Authenticate: Bearer error="insufficient_scope", scope="a:read b:write", error_description="One of the following scopes is required"`, "", "a:read|b:write"},
		"a challenge, and a list beside it":  {`WWW-Authenticate: Bearer error="insufficient_scope", scope="a:read b:write"`, `{"error":"insufficient_scope","acceptable_scopes":["a:read","b:write"]}`, "a:read|b:write"},
		"at least one is missing":            {"", `{"message":"At least one of the required scopes is missing: a:read, b:write"}`, "a:read b:write"},
		"at least one was not granted":       {"", `{"message":"At least one of the scopes was not granted: a:read, b:write"}`, "a:read b:write"},
		"one or more are missing":            {"", `{"message":"One or more of the following scopes are missing","scopes":["a:read","b:write"]}`, "a:read b:write"},
		"not allowed, and all of them":       {"", `{"message":"You are not allowed to do this: it requires the scopes a:read and b:write"}`, "a:read b:write"},
		"one of another sentence":            {"", `{"message":"Sorry, one request failed. It requires the scopes a:read, b:write."}`, "a:read b:write"},
		"acceptable":                         {"", `{"error":"insufficient_scope","acceptable_scopes":["a:read","b:write"]}`, "a:read|b:write"},
		"accepted":                           {"", `{"error":"forbidden","accepted_scopes":["a:read","b:write"]}`, "a:read|b:write"},
		"allowed":                            {"", `{"error":"insufficient_scope","allowed_scopes":"a:read b:write"}`, "a:read|b:write"},
		"anyOf":                              {"", `{"requiredScopes":{"anyOf":["a:read","b:write"]}}`, "a:read|b:write"},
		"oneOf":                              {"", `{"required":{"scopes":{"oneOf":["a:read","b:write"]}}}`, "a:read|b:write"},
		"allOf":                              {"", `{"acceptedScopes":{"allOf":["a:read","b:write"]}}`, "a:read b:write"},
		"scopes, any of which":               {"", `{"missing":{"any_of_scopes":["a:read","b:write"]}}`, "a:read|b:write"},
		"a list of lists":                    {"", `{"required_scopes":[["a:read"],["b:write","c:admin"]]}`, "a:read|b:write a:read|c:admin"},
		"a list of one list":                 {"", `{"required_scopes":[["a:read","b:write"]]}`, "a:read b:write"},
		"a list of lists of one":             {"", `{"required_scopes":[["a:read"],["b:write"]]}`, "a:read|b:write"},
		"lists that share one":               {"", `{"required_scopes":[["a:read","b:write"],["a:read","c:admin"]]}`, "a:read b:write|c:admin"},
		"alternatives":                       {"", `{"detail":"You do not have permission to perform this action.","required_alternatives":[["a:read"],["b:write","c:admin"]]}`, "a:read|b:write a:read|c:admin"},
		"alternatives, a flat list":          {"", `{"detail":"No.","required_alternatives":["a:read","b:write"]}`, "a:read|b:write"},
		"any of lists":                       {"", `{"required_scopes":{"any_of":[["a:read","b:write"],["c:admin"]]}}`, "a:read|c:admin b:write|c:admin"},
		"a header of alternatives":           {`X-Accepted-OAuth-Scopes: a:read, b:write`, `{"message":"missing scope"}`, "a:read|b:write"},
		"a header of alternatives, and both": {`X-Accepted-Permissions: issues=write,pulls=write; admin`, `{"error":"insufficient_scope"}`, "issues=write|admin pulls=write|admin"},
		"and, or":                            {"", `{"message":"requires the scopes a:read and b:write, or c:admin"}`, "a:read|c:admin b:write|c:admin"},
		"or, and":                            {"", `{"message":"requires the scopes a:read or b:write, and c:admin"}`, "a:read|b:write c:admin"},
		"and, either or":                     {"", `{"message":"requires the scope c:admin and either a:read or b:write"}`, "a:read|b:write c:admin"},
		"a list and its last":                {"", `{"message":"requires the scopes a:read, b:write, and c:admin"}`, "a:read b:write c:admin"},
		"a list or its last":                 {"", `{"message":"requires the scopes a:read, b:write, or c:admin"}`, "a:read|b:write|c:admin"},
		"any of a list and its last":         {"", `{"message":"requires any of the scopes a:read, b:write and c:admin"}`, "a:read|b:write|c:admin"},
		"all of some, any of others":         {"", `{"requiredPermissions":{"allOf":["contacts"],"anyOf":["read","write"]}}`, "contacts read|write"},
		"ampersands":                         {"", `{"message":"a:read && b:write required"}`, "a:read b:write"},
		"a plus":                             {"", `{"message":"Scope required: a:read+b:write"}`, "a:read b:write"},
		"braces":                             {"", `{"message":"at least one of the following scopes is required: {a:read, b:write}"}`, "a:read|b:write"},
		"a capability":                       {"", `{"detail":"no","code":"insufficient_scope","missing_capability":"a:read"}`, "a:read"},
		"any, in a name":                     {"", `{"detail":{"error":"insufficient_scope","required_any_scope":["a:read","b:write"],"granted_scopes":["c"]}}`, "a:read|b:write"},
		"plus either":                        {"", `{"message":"You need a:read plus either b:write or c:admin"}`, "a:read b:write|c:admin"},
		"none of":                            {"", `{"message":"Token has none of: a:read, b:write"}`, "a:read|b:write"},
		"none of the required":               {"", `{"message":"None of the required scopes (a:read, b:write) are present"}`, "a:read|b:write"},
		"none, and a list":                   {"", `{"message":"Current scopes: none. Required scopes: a:read, b:write."}`, "a:read b:write"},
		"neither, nor":                       {"", `{"message":"neither a:read nor b:write was granted"}`, "a:read b:write"},

		// A name that a sentence has, in whichever words.
		"issued without":                   {"", `{"message":"The token was issued without a:read"}`, "a:read"},
		"lacks, with a role besides":       {"", `{"message":"Credential lacks a:read (role: owner)"}`, "a:read"},
		"did not grant":                    {"", `{"message":"Resource owner did not grant 'a:read'"}`, "a:read"},
		"a resource owner lacks":           {"", `{"message":"The resource owner lacks a:read"}`, "a:read"},
		"a port":                           {"", `{"message":"Insufficient scope - requires host:8080"}`, ""},
		"has not granted":                  {"", `{"message":"The user has not granted the app a:read"}`, "a:read"},
		"token missing":                    {"", `{"message":"token missing a:read"}`, "a:read"},
		"not granted, a colon":             {"", `{"message":"not granted: a:read"}`, "a:read"},
		"was not granted":                  {"", `{"message":"a:read was not granted"}`, "a:read"},
		"wasn't granted, in quotes":        {"", `{"message":"'contacts' wasn't granted to this app"}`, "contacts"},
		"granted, and not granted":         {"", `{"message":"a:read was granted, b:write was not granted"}`, "b:write"},
		"not found in what it has":         {"", `{"message":"scope 'a:read' not found in token scopes 'b:write repo'"}`, "a:read"},
		"not granted, a member":            {"", `{"scopes":{"notGranted":["a:read"],"granted":["b:write"]}}`, "a:read"},
		"denied, a member":                 {"", `{"denied_scopes":["a:read"]}`, "a:read"},
		"the owner has not approved":       {"", `{"message":"The workspace owner has not approved the a:read permission"}`, "a:read"},
		"an owner who is needed":           {"", `{"message":"The owner role is required to grant a:read"}`, ""},
		"a code, an equals sign":           {"", "missing_scope=a:read", "a:read"},
		"not present":                      {"", `{"message":"Scope a:read is not present in the token"}`, "a:read"},
		"not included":                     {"", `{"message":"a:read not included in token"}`, "a:read"},
		"without the permission":           {"", `{"message":"You cannot do this without the a:read permission"}`, "a:read"},
		"needs":                            {"", `{"message":"this call needs a:read"}`, "a:read"},
		"scope is required":                {"", `{"message":"a:read scope is required"}`, "a:read"},
		"scope required, a plain word":     {"", `{"message":"contacts scope is required"}`, "contacts"},
		"an error with a space":            {`WWW-Authenticate: Bearer scope="a:read", error="Insufficient scope"`, "Insufficient scope", "a:read"},
		"an error with a space, alone":     {`WWW-Authenticate: Bearer scope="new:one", error="Insufficient scope"`, "", "new:one"},
		"a code and what it wants":         {"", "insufficient_scope: write", "write"},
		"a code, a colon, JSON":            {"", `{"error":"insufficient_scope: a:read"}`, "a:read"},
		"a dash, requires":                 {"", `{"message":"Insufficient scope - requires new:one"}`, "new:one"},
		"a dash, requires, known":          {"", `{"message":"Insufficient scope - requires write"}`, "write"},
		"colors":                           {"", `{"message":"missing scope: \u001b[31ma:read\u001b[0m"}`, "a:read"},
		"colors in a member":               {"", `{"missing_scopes":["\u001b[1;31mnew:one\u001b[0m"]}`, "new:one"},
		"a link of a terminal":             {"", `{"message":"missing scope \u001b]8;;https://x.example\u0007a:read\u001b]8;;\u0007"}`, "a:read"},
		"entities":                         {"", `{"message":"missing scope &quot;a:read&quot;"}`, "a:read"},
		"numbered entities":                {"", `{"message":"requires &#39;contacts&#39; scope"}`, "contacts"},
		"entities in a member":             {"", `{"required_scope":"&#x27;new:one&#x27;"}`, "new:one"},
		"entities, plain text":             {"", `Missing scope &apos;a:read&apos;`, "a:read"},
		"had and not had":                  {"", `{"error":"insufficient_scope","scopes":{"a:read":true,"b:write":false}}`, "b:write"},
		"several not had":                  {"", `{"error":"insufficient_scope","scopes":{"a:read":true,"b:write":false,"c:admin":false}}`, "b:write|c:admin"},
		"missing ones as members":          {"", `{"missing_scopes":{"a:read":true,"b:write":false}}`, "a:read"},
		"required ones as members":         {"", `{"required_scopes":{"a:read":true,"b:write":true,"c:admin":false}}`, "a:read b:write"},
		"granted ones as members":          {"", `{"error":"missing_scope","granted_scopes":{"a:read":true,"b:write":false}}`, "b:write"},
		"what a scope is":                  {"", `{"error":"insufficient_scope","scope":{"valid":false,"required":true}}`, ""},
		"nobody knows those had":           {"", `{"error":"insufficient_scope","scopes":{"new:one":false,"new:two":true}}`, "new:one"},
		"switches of something else":       {"", `{"message":"Forbidden","permissions":{"read":true,"write":false}}`, ""},
		"a file that is not there":         {"", `{"message":"The file 'contacts' was not found"}`, ""},
		"a repository that is not given":   {"", `{"message":"The repo a:read was not provided"}`, ""},
		"a role of that name, not granted": {"", `{"message":"Role 'read' was not granted to you"}`, ""},
		"a limit, and not granted":         {"", `{"message":"Rate limit for 'contacts' exceeded; not granted"}`, ""},
		"a token that is not authorized":   {"", `{"message":"Token a:read is not authorized"}`, ""},

		// A scope with a comma in it is taken whole where it is known.
		"a comma in a challenge":        {`WWW-Authenticate: Bearer error="insufficient_scope", scope="repository:a/b:pull,push"`, "", "repository:a/b:pull,push"},
		"a comma in a longer challenge": {`WWW-Authenticate: Bearer error="insufficient_scope", scope="a:read,repository:a/b:pull,push,b:write"`, "", "a:read repository:a/b:pull,push b:write"},
		"a comma in a member":           {"", `{"missing_scopes":["repository:a/b:pull,push","a:read"]}`, "repository:a/b:pull,push a:read"},
		"a comma in a list":             {"", `{"missing_scopes":"repository:a/b:pull,push, a:read"}`, "repository:a/b:pull,push a:read"},
		"a comma in a sentence":         {"", `{"message":"missing scope repository:a/b:pull,push."}`, "repository:a/b:pull,push"},
		"a comma in quotes":             {"", `{"message":"requires 'repository:a/b:pull,push' scope"}`, "repository:a/b:pull,push"},
		"a comma in a header":           {`X-Missing-Scopes: repository:a/b:pull,push`, "", "repository:a/b:pull,push"},
		"a comma, not known whole":      {`WWW-Authenticate: Bearer error="insufficient_scope", scope="a:read,b:write"`, "", "a:read b:write"},
	} {
		resp := refusal.Response{Status: 403, Header: http.Header{}, Body: []byte(tt.body)}
		if field, value, found := strings.Cut(tt.header, ": "); found {
			resp.Header.Set(field, value)
		}
		r := refusal.Read(nil, "api", known, resp)
		var needs []string
		for _, group := range r.Needs {
			needs = append(needs, strings.Join(group, "|"))
		}
		want := strings.Fields(tt.needs)
		slices.Sort(needs)
		slices.Sort(want)
		if !slices.Equal(needs, want) {
			t.Errorf("%s: needs %q, want %q (mentioned %q, held %q, said %q)", name, needs, want, r.Mentioned, r.Held, r.Said)
		}
	}
}

// A success whose body is data is no refusal, whatever somebody wrote into it.
func TestDataIsNoRefusal(t *testing.T) {
	for name, body := range map[string]string{
		"a job that failed":   `{"id":1,"status":"failed","error":{"code":403,"message":"missing scope a:read"}}`,
		"an event of another": `{"platform":"js","errors":[{"type":"js_no_source","message":"Missing required scope a:read"}]}`,
		"lines of a log":      `[{"ts":1,"error":"insufficient_scope","scope":"a:read"}]`,
		"a delivery":          `{"url":"https://x.example","success":false,"error":"missing_scope","scope":"a:read"}`,
		"a list":              `{"results":[{"error":"missing_scope"}]}`,
	} {
		resp := refusal.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		if refusal.Fails(nil, "api", resp) {
			t.Errorf("%s is taken for a refusal", name)
		}
	}
	slack := refusal.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"ok":false,"error":"missing_scope","needed":"a:read","provided":"c"}`)}
	if !refusal.Fails(nil, "api", slack) {
		t.Error("an error at 200 is not seen")
	}
}

// What has the form of a scope by a provider's rules is one only where something speaks of scopes.
func TestFormsOfScopes(t *testing.T) {
	provided, err := provider.Decode("p.yaml", []byte("servers: {here: {issuer: 'https://id.example'}}\nimplies: [{scope: '{x}:write', covers: ['{x}:read']}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	formed := refusal.Vocabulary{Scopes: scopes.NewSet("pay:write"), Implies: provided.Implies}
	for said, want := range map[string][]string{
		"No such file: /data/cache:read":                     nil,
		"model not found: claude-read:write":                 nil,
		"Cannot query field job:write on type Query":         nil,
		"Cannot query field pay:write on type Query":         nil, // a word that is a scope, in a sentence that is not about one
		"This needs the scope job:write":                     {"job:write"},
		"requires scope foo:admin":                           {"foo:admin"},
		"The token must have the pay:write scope":            {"pay:write"},
		"Your app must be granted pay:write to use scopes":   {"pay:write"},
		"The token must include the scope pay:write in full": {"pay:write"},
	} {
		r := refusal.Read(nil, "api", formed, refusal.Response{Status: 404, Header: http.Header{}, Body: []byte(`{"error":"` + said + `"}`)})
		if got := r.Names(); !slices.Equal(got, want) {
			t.Errorf("%q names %q, want %q", said, got, want)
		}
	}
}
