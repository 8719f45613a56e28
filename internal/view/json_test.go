package view

import (
	"encoding/json"
	"testing"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestVerdictIsTheContract(t *testing.T) {
	v := Verdict{diagnosis.Verdict{
		Message: "missing scope: llm_gateway:read (every model call of the agent)", Status: 401, Method: "POST", Base: "gateway", Path: "/v1/messages",
		Cause: diagnosis.CauseMissingScope, Confidence: diagnosis.ConfidenceProved, Missing: []string{"llm_gateway:read"},
		NeededFor: map[string][]string{"llm_gateway:read": {"POST {gateway}/v1/messages"}}, Why: map[string]string{"llm_gateway:read": "every model call of the agent"},
		Level: scopes.Required, Said: "Authentication required",
		Evidence:  []string{"the server responded with 401 Unauthorized: \"Authentication required\"", "the grant does not include llm_gateway:read, according to the server"},
		Conflicts: []profile.Conflict{{Path: "/s.json", Source: "user", Keys: []string{"apiKeyHelper"}}},
		Next:      []advice.Step{{Text: "use a key that also includes llm_gateway:read", URL: "https://us.posthog.com/settings/user-api-keys"}}, Log: "/log",
	}}
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "schema": "ambit.verdict/v1",
 "ok": false,
 "message": "missing scope: llm_gateway:read (every model call of the agent)",
 "status": 401,
 "method": "POST",
 "base": "gateway",
 "path": "/v1/messages",
 "cause": "missing_scope",
 "confidence": "proved",
 "missing": [
  "llm_gateway:read"
 ],
 "needed_for": {
  "llm_gateway:read": [
   "POST {gateway}/v1/messages"
  ]
 },
 "why": {
  "llm_gateway:read": "every model call of the agent"
 },
 "level": "required",
 "said": "Authentication required",
 "evidence": [
  "the server responded with 401 Unauthorized: \"Authentication required\"",
  "the grant does not include llm_gateway:read, according to the server"
 ],
 "conflicts": [
  {
   "path": "/s.json",
   "source": "user",
   "keys": [
    "apiKeyHelper"
   ],
   "overrides": false
  }
 ],
 "next": [
  {
   "text": "use a key that also includes llm_gateway:read",
   "command": "",
   "url": "https://us.posthog.com/settings/user-api-keys"
  }
 ],
 "log": "/log"
}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}
