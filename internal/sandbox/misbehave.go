package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// The kinds of misbehavior. Those of the first group are the authorization server's
// own ways and take no target; the others strike a part of the service.
const (
	kindReject     = "reject"
	kindRejectAll  = "reject-all"
	kindNoScope    = "no-scope"
	kindEmptyScope = "empty-scope"
	kindMore       = "more"
	kindWrongIss   = "wrong-iss"
	kindShortLived = "short-lived"
	kindNoRefresh  = "no-refresh"
	kindRegisters  = "registers"
	kindBasic      = "secret-basic"
	kindPost       = "secret-post"
	kindBadIDToken = "bad-id-token"
	kindNoClient   = "unknown-client"
	kindOther      = "other-person"

	kindDevice      = "device"
	kindDeviceShort = "device-short"
	kindDeviceSlow  = "device-slow"

	kindNoList      = "no-list"
	kindEmptyList   = "empty-list"
	kindWrongIssuer = "wrong-issuer"
	kindForeign     = "foreign-scopes"

	kindStepUp      = "step-up"
	kindEventStream = "event-stream"
	kindLegacyMCP   = "legacy-mcp"
	kindModernMCP   = "modern-mcp"

	kindHTML       = "html-200"
	kindNoMetadata = "no-metadata"
	kind500        = "500"
	kindTimeout    = "timeout"
	kindClose      = "close"
	kindBadJSON    = "bad-json"
	kindGarbage    = "garbage"
	kindCut        = "cut"
	kindSlow       = "slow"
	kind429        = "429"
	kind429Long    = "429-long"
)

// A kind describes itself; target is the part that it strikes unless told otherwise,
// and "" where it takes no target.
type kind struct{ name, target, does string }

func kinds() []kind {
	return []kind{
		{kindReject, "", "a scope outside the application's ceiling ends the login with invalid_scope, all such scopes named"},
		{kindRejectAll, "", "the same, and every scope that was asked for is named"},
		{kindNoScope, "", "the token response has no scope member"},
		{kindEmptyScope, "", "nothing is granted, and the token response's scope is empty"},
		{kindMore, "", "more is granted than was asked for"},
		{kindWrongIss, "", "the callback carries the iss of another issuer"},
		{kindShortLived, "", "the access token of a login lives one second; refreshed ones live as usual"},
		{kindNoRefresh, "", "a login gets no refresh token"},
		{kindBadIDToken, "", "the signature of an ID token is that of another text"},
		{kindNoClient, "", "the token endpoint knows no client: invalid_client"},
		{kindOther, "", "whoever consents is another person, who lives in another region"},
		{kindRegisters, "", "whoever asks is registered as a client (RFC 7591), and may have what is listed"},
		{kindBasic, "", "the same, and each gets a secret for client_secret_basic, whatever it asks for"},
		{kindPost, "", "the same, for client_secret_post"},
		{kindDevice, "", "a login with a code for another device is offered (RFC 8628)"},
		{kindDeviceShort, "", "the same, and a code lives two seconds"},
		{kindDeviceSlow, "", "the same, and the first request for the token is told slow_down"},
		{kindNoList, "", "the metadata has no scopes_supported"},
		{kindEmptyList, "", "scopes_supported is an empty list"},
		{kindWrongIssuer, "", "the metadata names another issuer than the one asked"},
		{kindForeign, "", "the MCP server's resource document lists scopes that the authorization server does not know"},
		{kindStepUp, "", "the MCP server lists every tool, and a call without its scopes is a 403 insufficient_scope that names them"},
		{kindEventStream, "", "the MCP server answers each request as an event stream"},
		{kindLegacyMCP, "", "the MCP server knows no revision after 2025-11-25"},
		{kindModernMCP, "", "the MCP server knows 2026-07-28 only"},
		{kindHTML, partMetadata, "a page of HTML with status 200"},
		{kindNoMetadata, partMetadata, "status 404 with a page of HTML"},
		{kind500, partAll, "status 500"},
		{kindTimeout, partAll, "no answer until the client goes away"},
		{kindClose, partAll, "the connection is closed without an answer"},
		{kindBadJSON, partAll, "JSON of another shape: known members of unexpected types"},
		{kindGarbage, partAll, "status 200 and bytes that are not JSON, though the header says so"},
		{kindCut, partAll, "the answer begins well and is cut in the middle"},
		{kindSlow, partAll, "a third of a second before each piece of the answer"},
		{kind429, partAll, "status 429 with Retry-After: 1, once for each part, then all is well"},
		{kind429Long, partAll, "status 429 with Retry-After: 60, always"},
	}
}

// Kinds lists what [Options].Misbehave takes, a line each: the kind, a dash, what it
// does, and which part it strikes where no other is named as kind@part.
func Kinds() []string {
	lines := make([]string, 0, len(kinds()))
	for _, k := range kinds() {
		line := k.name + " - " + k.does
		if k.target != "" {
			line += " (@" + k.target + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// The parts of the service that can be struck. inspect is wherever a credential asks
// about itself: introspection and the API's self-inspection.
const (
	partMetadata  = "metadata"
	partAuthorize = "authorize"
	partToken     = "token"
	partRevoke    = "revoke"
	partInspect   = "inspect"
	partUserInfo  = "userinfo"
	partAPI       = "api"
	partGateway   = "gateway"
	partMCP       = "mcp"
	partAll       = "all"
)

func parts() []string {
	return []string{
		partMetadata, partAuthorize, partToken, partRevoke, partInspect, partUserInfo, partAPI, partGateway, partMCP, partAll,
	}
}

// A misbehavior is a kind at a part.
type misbehavior struct{ kind, part string }

// An UnknownKindError says that Misbehave named something that the sandbox cannot do.
type UnknownKindError struct {
	Kind  string   // as it was given
	Known []string // what would have been right in its place
}

// Error lists what is known.
func (e *UnknownKindError) Error() string {
	return fmt.Sprintf("unknown misbehavior %q; known are %s", e.Kind, strings.Join(e.Known, ", "))
}

func parseMisbehaviors(words []string) ([]misbehavior, error) {
	var list []misbehavior
	for _, word := range words {
		name, part, targeted := strings.Cut(word, "@")
		i := slices.IndexFunc(kinds(), func(k kind) bool { return k.name == name })
		switch {
		case i < 0:
			return nil, &UnknownKindError{word, kindNames()}
		case !targeted:
			part = kinds()[i].target
		case kinds()[i].target == "":
			return nil, &UnknownKindError{word, []string{name + " (without a part)"}}
		case !slices.Contains(parts(), part):
			return nil, &UnknownKindError{word, withParts(name)}
		}
		list = append(list, misbehavior{name, part})
	}
	return list, nil
}

func kindNames() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

func withParts(kind string) []string {
	var words []string
	for _, part := range parts() {
		words = append(words, kind+"@"+part)
	}
	return words
}

// misbehaves reports whether a kind that takes no target is on.
func (s *Sandbox) misbehaves(kind string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.misbehaviors, func(m misbehavior) bool { return m.kind == kind })
}

// faultAt is the first fault that strikes a part now; "" for none. A fault that comes
// once for each part is used up by being asked for.
func (s *Sandbox) faultAt(part string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.misbehaviors {
		if m.part != part && m.part != partAll || s.used[misbehavior{m.kind, part}] {
			continue
		}
		if m.kind == kind429 {
			s.used[misbehavior{m.kind, part}] = true
		}
		return m.kind
	}
	return ""
}
