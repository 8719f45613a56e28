package agent_test

import (
	"cmp"
	"net/http"
	"slices"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	gocmp "github.com/google/go-cmp/cmp"
)

// What real clients send beside their credential passes, by the public documentation of each; a
// credential in any field that is known for one stays here, and is told.
func TestOtherCredentialsStayHere(t *testing.T) {
	clients := []struct {
		name           string
		agent          string // the profile's name; "" for a command of which nothing is known
		passes, stay   []string
		passesQuery    string
		withoutInQuery string
		inQuery        []string // parameters that stay
	}{
		{
			name: "Anthropic's SDKs and Claude Code",
			passes: []string{
				"anthropic-version", "anthropic-beta", "anthropic-dangerous-direct-browser-access", "X-Stainless-Lang", "X-Stainless-Package-Version",
				"X-Stainless-OS", "X-Stainless-Arch", "X-Stainless-Runtime", "X-Stainless-Retry-Count", "X-Stainless-Timeout", "X-Stainless-Helper-Method",
				"x-app", "x-client-request-id", "x-claude-code-session-id", "Idempotency-Key",
			},
			stay: []string{"X-Api-Key"},
		},
		{
			name:   "OpenAI's SDKs and Codex",
			agent:  "codex",
			passes: []string{"OpenAI-Organization", "OpenAI-Project", "OpenAI-Beta", "originator", "session_id", "session-id", "thread-id", "conversation_id", "chatgpt-account-id", "x-client-request-id"},
			stay:   []string{"api-key", "Ocp-Apim-Subscription-Key"},
		},
		{
			name:   "opencode",
			agent:  "opencode",
			passes: []string{"X-Session-Id", "session_id", "x-session-affinity", "x-parent-session-id", "anthropic-beta"},
			stay:   []string{"X-Auth-Token"},
		},
		{
			name:   "Qwen Code and DashScope",
			passes: []string{"X-DashScope-AuthType", "X-DashScope-CacheControl", "X-DashScope-UserAgent"},
		},
		{
			name: "names that are run together",
			passes: []string{
				"X-Authtype", "X-Pagetoken", "X-Cachekey", "X-Csrftoken", "X-Mcpsessionid", "Idempotencykey", "X-Keyword", "X-Tokenizer", "X-Keyboard", "X-Authority", "X-Sessions",
				"X-Usernameusernameusernameusernameusernameusernameusernameusernameusernamekey",
			},
			stay: []string{
				"X-Authtoken", "X-Accesstoken", "X-Secretkey", "Accesskey", "Appkey", "X-Appsecret", "X-Sessionid", "X-Apikey", "Authkey", "X-Refreshtoken", "X-Oauthtoken", "X-Clientsecret",
			},
			passesQuery: "pagetoken=1&sessionid=2&authtype=3&keyword=4", withoutInQuery: "pagetoken=1&sessionid=2&authtype=3&keyword=4",
		},
		{
			name:   "ids and what else is about a credential",
			passes: []string{"X-Request-Id", "X-Auth-Email", "X-Auth-User", "X-Auth-Request-Email", "X-Token-Type", "X-Auth-Provider", "X-Acme-Session-Id", "X-Acme-Key-Id"},
			stay:   []string{"X-Key-Id", "X-Session-Id", "Session-Id", "X-Access-Key-Id", "X-Token-Id", "X-Bearer", "X-Oauth"},
		},
		{
			name: "short words",
			passes: []string{
				"DPoP-Nonce", "X-Twilio-Account-Sid", "X-Login", "X-Path", "X-Side", "X-Pass-Through", "X-Pin-Count", "X-Bypass", "X-Inside", "X-User", "X-Compass",
			},
			stay: []string{"X-Pat", "X-Sid", "Sid", "X-User-Pass", "X-Userpass", "X-Otp", "DPoP", "X-Totp", "X-Pwd", "X-Api-Pat", "X-Passcode"},
		},
		{
			name: "keys of other things, and where a login leads back",
			passes: []string{
				"X-Correlation-Key", "X-Partition-Key", "X-Routing-Key", "X-Sort-Key", "X-Shard-Key", "X-Deduplication-Key", "Surrogate-Key", "Idempotency-Key", "X-Idempotency-Key",
				"X-Auth-Request-Redirect", "X-Auth-Redirect",
			},
			stay: []string{"X-Encryption-Key", "X-Auth-Request-Access-Token"},
		},
		{
			name:        "Google's SDKs",
			passes:      []string{"x-goog-api-client", "x-goog-user-project", "X-Goog-Request-Params", "X-Server-Timeout", "X-Goog-Upload-Command"},
			stay:        []string{"x-goog-api-key", "X-Goog-Iap-Jwt-Assertion", "X-Serverless-Authorization"},
			passesQuery: "alt=sse&key=flag&pageToken=2", withoutInQuery: "alt=sse&key=flag&pageToken=2",
		},
		{
			name:   "MCP",
			passes: []string{"Mcp-Session-Id", "MCP-Protocol-Version", "Last-Event-ID", "Mcp-Method", "Mcp-Name"},
		},
		{
			name:   "AWS",
			passes: []string{"X-Amz-Date", "X-Amz-Target", "X-Amz-Content-Sha256", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Amzn-Trace-Id"},
			stay:   []string{"X-Amz-Security-Token"},
		},
		{
			name:   "Azure",
			passes: []string{"x-ms-date", "x-ms-version", "x-ms-client-request-id", "x-ms-client-session-id"},
			stay:   []string{"X-MS-TOKEN-AAD-ACCESS-TOKEN"},
		},
		{
			name:   "payments, source hosting, chat",
			passes: []string{"Stripe-Version", "Stripe-Account", "X-GitHub-Api-Version", "Notion-Version", "I-Twilio-Idempotency-Token", "Lock-Token", "Sourcegraph-Trace"},
			stay: []string{
				"PRIVATE-TOKEN", "JOB-TOKEN", "X-Shopify-Access-Token", "X-Auth-Token", "X-Auth-Key", "X-Vault-Token", "DD-API-KEY", "DD-APPLICATION-KEY", "apikey",
				"xi-api-key", "X-Subscription-Token", "Cf-Access-Client-Secret", "X-Sentry-Auth", "X-Metabase-Session", "X-Parse-Session-Token", "X-Credential",
				"X-Password", "X_Api_Key",
			},
		},
		{
			name: "browsers and frameworks",
			passes: []string{
				"X-CSRF-Token", "X-XSRF-TOKEN", "X-CSRFToken", "Sec-Fetch-Mode", "Sec-Websocket-Key", "X-Requested-With", "X-Session-Affinity", "X-Cache-Key",
				"Traceparent", "Baggage", "Sentry-Trace", "X-Datadog-Trace-Id", "X-Max-Tokens", "X-Monkey", "X-Author", "X-Keyword", "Prefer", "If-Match", "Signature",
			},
			stay:        []string{"Cookie", "Proxy-Authorization", "X-Request-Token"},
			passesQuery: "a=1&access_token=sk-other&b=2", withoutInQuery: "a=1&b=2", inQuery: []string{"access_token"},
		},
		{
			name: "queries",
			passesQuery: "key=flag&token=t&api_key=sk-1&accessToken=sk-2&session_id=s&apikey=sk-3&next_token=n&personal_api_key=sk-4&client_secret=sk-5&auth=a&user_key=k" +
				"&auth_token=sk-6&secretkey=sk-7&session_token=sk-8&code=c",
			withoutInQuery: "key=flag&token=t&session_id=s&next_token=n&auth=a&user_key=k&code=c",
			inQuery:        []string{"accessToken", "api_key", "apikey", "auth_token", "client_secret", "personal_api_key", "secretkey", "session_token"},
		},
		{
			name: "queries with a secret of one word, or of a login",
			passesQuery: "password=a&passwd=b&secret=c&jwt=d&id_token=e&user_password=f&pwd=g&basic_password=h&clientJwt=i" +
				"&reset_password=1&secret_id=2&jwt_type=3&id_token_type=4&has_secret=5&id_key=6",
			withoutInQuery: "reset_password=1&secret_id=2&jwt_type=3&id_token_type=4&has_secret=5&id_key=6",
			inQuery:        []string{"basic_password", "clientJwt", "id_token", "jwt", "passwd", "password", "pwd", "secret", "user_password"},
		},
		{
			name: "queries that are signed",
			passesQuery: "X-Amz-Algorithm=a&X-Amz-Signature=b&X-Amz-Security-Token=c&X-Goog-Signature=d&X-Goog-Date=e&sv=f&sig=g&Signature=h&x-oss-signature=i" +
				"&signatures=1&signature_version=2&significant=3",
			withoutInQuery: "X-Amz-Algorithm=a&X-Goog-Date=e&sv=f&signatures=1&signature_version=2&significant=3",
			inQuery:        []string{"Signature", "X-Amz-Security-Token", "X-Amz-Signature", "X-Goog-Signature", "sig", "x-oss-signature"},
		},
		{
			name:        "queries that name a session of somebody's data, or of MCP's older transport",
			passesQuery: "session_id=1&sessionId=2&sessionid=3&sid=4", withoutInQuery: "session_id=1&sessionId=2&sessionid=3&sid=4",
		},
	}
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			origin, last := notes(t)
			known := agenttest.Profile(t, cmp.Or(c.agent, "any-command"))
			l := lend(t, origin, &source{current: key("phx_real")}, func(cfg *agent.Config) { cfg.Agent = known })
			fields := []string{bearer}
			for _, name := range slices.Concat(c.passes, c.stay) {
				fields = append(fields, name+": sk-other")
			}
			query := "?" + c.passesQuery
			if c.passesQuery == "" {
				query = ""
			}
			for range 2 {
				l.send("GET", "api", "/x"+query, "", fields...)
			}
			r := last()
			if r == nil {
				t.Fatal("nothing arrived")
			}
			for _, name := range c.passes {
				if r.Header.Get(name) != "sk-other" {
					t.Errorf("%s did not arrive", name)
				}
			}
			want := []string{}
			for _, name := range c.stay {
				want = append(want, http.CanonicalHeaderKey(name))
				if r.Header.Get(name) != "" {
					t.Errorf("%s arrived", name)
				}
			}
			for _, name := range c.inQuery {
				want = append(want, "the query's "+name)
			}
			if uri := "/x" + query; c.passesQuery == c.withoutInQuery && r.URI != uri || c.passesQuery != c.withoutInQuery && r.URI != "/x?"+c.withoutInQuery {
				t.Errorf("the query arrived as %s", r.URI)
			}
			slices.Sort(want)
			var told []string
			for _, c := range l.seen {
				told = append(told, c.Keys...)
			}
			if diff := gocmp.Diff(want, append([]string{}, told...)); diff != "" {
				t.Error("told once:", diff)
			}
			if len(l.verdicts()) != 0 {
				t.Errorf("%+v", l.verdicts())
			}
		})
	}
}

// A profile names a field whose name only sounds like a credential's.
func TestProfileLetsAFieldPass(t *testing.T) {
	origin, last := notes(t)
	known := *agenttest.Profile(t, "any-command")
	known.Passing = []string{"x-ms-session-token"}
	l := lend(t, origin, &source{current: key("phx_real")}, func(c *agent.Config) { c.Agent = &known })
	l.send("GET", "api", "/x", "", bearer, "X-Ms-Session-Token: 0:1")
	if r := last(); r == nil || r.Header.Get("X-Ms-Session-Token") != "0:1" || len(l.seen) != 0 {
		t.Errorf("%+v, told %+v", r, l.seen)
	}
}

// A cookie alone is no sign that somebody else's login was used.
func TestCookieAloneIsNoConflict(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	if got := l.send("GET", "api", "/x", "", "Cookie: a=1"); got.status != 451 || last() != nil || len(l.verdicts()) != 0 {
		t.Errorf("%+v %+v", got, l.verdicts())
	}
}
