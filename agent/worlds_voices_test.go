package agent_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
)

// A reply is what a server answers.
type reply struct {
	status int
	header http.Header
	body   string
}

// A voice is a way in which servers say why they refuse. choose picks one of several wordings of a
// world.
type voice struct {
	name     string
	misleads bool                    // what it says is not true
	can      func(*world, fate) bool // nil: in every world
	at       map[diagnosis.Cause]int // the status by cause; 401 for a dead credential, else 403, where it is not said
	put      func(w *world, f fate) (challenge, body string)
}

func (v *voice) status(f fate) int {
	if status, ok := v.at[f.cause]; ok {
		return status
	}
	if status, ok := v.at[""]; ok {
		return status
	}
	switch f.cause {
	case diagnosis.CauseMissingScope, diagnosis.CauseNotAScopeProblem, diagnosis.CauseWrongCredentialKind:
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

func (v *voice) say(w *world, f fate) reply {
	challenge, body := v.put(w, f)
	header := http.Header{}
	if challenge != "" {
		header.Set("WWW-Authenticate", challenge)
	}
	if strings.HasPrefix(body, "<") {
		header.Set("Content-Type", "text/html")
	}
	return reply{v.status(f), header, body}
}

// choose is one of several wordings.
func (w *world) choose(wordings ...string) string { return wordings[w.choice%len(wordings)] }

// unrelatedHeld is a scope that is held, of those that the operation requires or of others.
func (w *world) heldOf(c issued) string {
	for i := range everyScope {
		if scope := everyScope[(w.choice+i)%len(everyScope)]; holds(c.held, scope) {
			return scope
		}
	}
	return ""
}

func isDead(f fate) bool {
	return slices.Contains([]diagnosis.Cause{diagnosis.CauseExpired, diagnosis.CauseRejected, diagnosis.CauseWrongServer}, f.cause)
}

func isMissing(f fate) bool { return f.cause == diagnosis.CauseMissingScope }

// behind reports whether the server itself answers, and nothing in front of it.
func behind(w *world, f fate) bool {
	return w.obstacle != obstacleFront && (w.obstacle != obstacleGone || f.cause != diagnosis.CauseNotAScopeProblem) || f.cause == diagnosis.CauseWrongCredentialKind
}

func inFront(w *world, _ fate) bool { return w.obstacle == obstacleFront }

// ownReason is what a service says of a cause in words of its own.
func (w *world) ownReason(f fate) string {
	switch {
	case isDead(f):
		return w.choose("Your session has ended, please sign in again", "Invalid API key", "The access token expired", "Bad credentials", "invalid token")
	case f.cause == diagnosis.CauseWrongCredentialKind:
		return w.choose("Project keys cannot be used here", "This endpoint takes personal credentials only")
	case w.obstacle == obstacleRole:
		return w.choose("You must be an administrator of this workspace", "Only owners may do this", "Your role does not allow this action: it is read-only")
	case w.obstacle == obstaclePlan:
		return w.choose("Your plan does not include this feature", "Upgrade to Enterprise to use this API", "Trial ended on 2026-01-01")
	case w.obstacle == obstacleShared:
		return w.choose("This document has not been shared with you", "You are not a member of project 1")
	}
	return w.choose("Request blocked by policy 17", "Your IP address is not on the allow list")
}

// providerReason is the same in PostHog's words.
func (w *world) providerReason(f fate) string {
	switch {
	case f.cause == diagnosis.CauseWrongCredentialKind:
		return "This action does not support Project Secret API Key access"
	case w.obstacle == obstacleShared:
		return "API key does not have access to the requested project: ID 1."
	default:
		return "You do not have editor access to this resource."
	}
}

const (
	silentBody = `{"detail":"Authentication required"}`
	apiError   = `{"type":"authentication_error","code":%q,"detail":%q,"attr":null}`
)

// voices are what was seen of PostHog, of MCP servers and of other services.
var voices = []voice{
	{
		name: "PostHog's gateway, which says nothing",
		can:  func(w *world, f fate) bool { return w.operation.base == "gateway" && behind(w, f) },
		at:   map[diagnosis.Cause]int{diagnosis.CauseMissingScope: 401, diagnosis.CauseWrongCredentialKind: 401},
		put: func(_ *world, f fate) (string, string) {
			if f.cause == diagnosis.CauseNotAScopeProblem {
				return "", `{"detail":{"error":{"message":"this credential is not for this product","type":"permission_error","code":"product_access_denied"}}}`
			}
			return "", silentBody
		},
	},
	{
		name: "PostHog's API",
		can:  func(w *world, f fate) bool { return w.operation.base == "api" && behind(w, f) },
		put: func(w *world, f fate) (string, string) {
			switch {
			case isMissing(f):
				return "", fmt.Sprintf(apiError, "permission_denied", "API key missing required scope '"+f.lacking[0]+"'")
			case isDead(f):
				return "", fmt.Sprintf(apiError, "authentication_failed", "Invalid access token.")
			}
			return "", fmt.Sprintf(apiError, "permission_denied", w.providerReason(f))
		},
	},
	{
		name: "silence",
		can:  behind,
		put: func(w *world, _ fate) (string, string) {
			return "", w.choose("", "{}", `{"error":"forbidden"}`, `{"message":"Access denied"}`, `{"detail":"Authentication required"}`)
		},
	},
	{
		name: "silence with 401 for whatever it is",
		can:  behind,
		at:   map[diagnosis.Cause]int{"": 401},
		put:  func(w *world, _ fate) (string, string) { return "", w.choose("", `{"error":"unauthorized"}`) },
	},
	{
		name: "RFC 6750",
		can:  behind,
		put: func(w *world, f fate) (string, string) {
			switch {
			case isMissing(f): // all that is required, not only what lacks (§3.1)
				return fmt.Sprintf("Bearer error=%q, scope=%q", "insufficient_scope", strings.Join(w.operation.requires, " ")), ""
			case isDead(f):
				return `Bearer realm="x", error="invalid_token", error_description="The access token is invalid"`, ""
			}
			return "", fmt.Sprintf(`{"error":"access_denied","message":%q}`, w.ownReason(f))
		},
	},
	{
		name: "insufficient_scope without a name, for roles too",
		can: func(w *world, f fate) bool {
			return behind(w, f) && !isDead(f) && f.cause != diagnosis.CauseWrongCredentialKind
		},
		put: func(w *world, _ fate) (string, string) {
			return `Bearer error="insufficient_scope"`, w.choose("", `{"error":"insufficient_scope"}`)
		},
	},
	{
		name: "MCP: 401 with what the resource needs, whatever it is",
		can:  func(w *world, f fate) bool { return behind(w, f) && f.cause != diagnosis.CauseNotAScopeProblem },
		at:   map[diagnosis.Cause]int{"": 401},
		put: func(w *world, _ fate) (string, string) {
			return fmt.Sprintf("Bearer resource_metadata=%q, scope=%q", "https://us.example/.well-known/oauth-protected-resource", strings.Join(w.operation.requires, " ")), ""
		},
	},
	{
		name: "a sentence of its own",
		can:  behind,
		put: func(w *world, f fate) (string, string) {
			said := w.ownReason(f)
			if isMissing(f) {
				said = fmt.Sprintf(w.choose("This endpoint requires the %s scope", "Your token is missing the scope '%s'", "scope `%s` is needed for this call"), f.lacking[0])
			}
			return "", fmt.Sprintf(w.choose(`{"message":%q}`, `{"error":{"code":403001,"message":%q}}`, `{"errors":[{"title":"Refused","detail":%q}]}`), said)
		},
	},
	{
		name: "members that name scopes",
		can:  func(w *world, f fate) bool { return behind(w, f) && isMissing(f) },
		put: func(w *world, f fate) (string, string) {
			return "", fmt.Sprintf(w.choose(`{"error":"missing_scope","needed":%q}`, `{"message":"no","requiredScopes":[%q]}`, `{"code":"forbidden","missing_scopes":[%q]}`), f.lacking[0])
		},
	},
	{
		name: "an error at 200",
		can:  behind,
		at:   map[diagnosis.Cause]int{"": 200},
		put: func(w *world, f fate) (string, string) {
			switch {
			case isMissing(f):
				return "", fmt.Sprintf(`{"ok":false,"error":"missing_scope","needed":%q,"provided":%q}`, f.lacking[0], w.heldOf(w.credential))
			case isDead(f):
				return "", `{"ok":false,"error":"invalid_auth"}`
			}
			return "", `{"ok":false,"error":"not_in_channel"}`
		},
	},
	{
		name: "not found",
		can: func(w *world, f fate) bool {
			return behind(w, f) && !isDead(f) && f.cause != diagnosis.CauseWrongCredentialKind
		},
		at:  map[diagnosis.Cause]int{"": 404},
		put: func(w *world, _ fate) (string, string) { return "", w.choose("", `{"detail":"Not found."}`) },
	},
	{
		name: "MCP: a tool that is hidden, or gone",
		can: func(w *world, f fate) bool {
			return w.operation.tool != "" && w.obstacle != obstacleFront && (isMissing(f) || w.obstacle == obstacleGone && f.cause == diagnosis.CauseNotAScopeProblem)
		},
		at: map[diagnosis.Cause]int{"": 200},
		put: func(w *world, _ fate) (string, string) {
			return "", w.choose(rpcError(-32602, "Unknown tool: "+w.operation.tool), rpcError(-32602, "Tool "+w.operation.tool+" not found"), toolResult(`MCP error -32602: Tool "`+w.operation.tool+`" not found`, ""))
		},
	},
	{
		name: "MCP: a tool's result, or an error",
		can:  func(w *world, f fate) bool { return w.operation.tool != "" && behind(w, f) && !isDead(f) },
		at:   map[diagnosis.Cause]int{"": 200},
		put: func(w *world, f fate) (string, string) {
			said, meta := w.ownReason(f), ""
			if isMissing(f) {
				said = w.choose("Permission denied", "This tool requires the scope "+f.lacking[0], "no")
				if w.choice%5 == 0 {
					meta = fmt.Sprintf(`"mcp/www_authenticate":["Bearer error=\"insufficient_scope\", scope=\"%s\""]`, strings.Join(w.operation.requires, " "))
				}
			}
			if w.choice%2 == 0 {
				return "", toolResult(said, meta)
			}
			return "", rpcError(-32000, said)
		},
	},
	{
		name: "MCP: a message that the server does not take",
		can: func(w *world, f fate) bool {
			return w.operation.tool != "" && behind(w, f) && f.cause == diagnosis.CauseNotAScopeProblem
		},
		at: map[diagnosis.Cause]int{"": 404},
		put: func(w *world, _ fate) (string, string) {
			return "", w.choose(rpcError(-32601, "Method not found"), rpcError(-32001, "Session not found"), rpcError(-32600, "Forbidden"))
		},
	},
	{
		name:     "misled: a dead token, it says, where a scope lacks",
		misleads: true,
		can:      func(w *world, f fate) bool { return behind(w, f) && isMissing(f) },
		at:       map[diagnosis.Cause]int{"": 401},
		put: func(w *world, _ fate) (string, string) {
			return w.choose("", `Bearer error="invalid_token"`), w.choose(`{"message":"Invalid API key"}`, `{"error":"The access token is invalid"}`)
		},
	},
	{
		name:     "misled: a scope that is held, it says, where it is a role",
		misleads: true,
		can: func(w *world, f fate) bool {
			return behind(w, f) && f.cause == diagnosis.CauseNotAScopeProblem && w.heldOf(w.credential) != ""
		},
		put: func(w *world, _ fate) (string, string) {
			scope := w.heldOf(w.credential)
			if w.choice%2 == 0 {
				return fmt.Sprintf("Bearer error=%q, scope=%q", "insufficient_scope", scope), ""
			}
			return "", fmt.Sprintf(apiError, "permission_denied", "API key missing required scope '"+scope+"'")
		},
	},
	{
		name: "a page from something in front",
		can:  inFront,
		at:   map[diagnosis.Cause]int{"": 403},
		put: func(w *world, _ fate) (string, string) {
			return "", w.choose("<html><head><title>403 Forbidden</title></head></html>", "<html><head><title>Attention Required!</title></head></html>")
		},
	},
	{
		name: "a page of its own",
		can: func(w *world, f fate) bool {
			return behind(w, f) && (isMissing(f) || f.cause == diagnosis.CauseNotAScopeProblem)
		},
		put: func(w *world, _ fate) (string, string) {
			return "", "<html><head><title>403 Forbidden</title></head></html>"
		},
	},
}
