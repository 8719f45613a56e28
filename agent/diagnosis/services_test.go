package diagnosis_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/refusal/refusaltest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// undecided are the refusals that say too little for anybody who reads them alone, and what is found
// where the scope of the call lacks, by what is known of the grant. Nothing is known where it is held.
var undecided = map[string]string{
	// One response for a scope, a role, and what does not exist.
	"Airtable: scope, user permission, base not granted or wrong name: one answer for all":  "missing_scope likely",
	"DigitalOcean: token lacks the scope":                                                   "missing_scope likely",
	"DigitalOcean: token lacks the scope (older endpoints, read-only token)":                "missing_scope likely",
	"Intercom REST API: token may not reach the resource (older form)":                      "missing_scope likely",
	"LinkedIn: Not enough permissions (older form)":                                         "missing_scope likely",
	"LinkedIn: ACCESS_DENIED (newer form)":                                                  "missing_scope likely",
	"GitHub: classic token, REST: delete_repo missing looks like a role":                    "missing_scope likely",
	"Microsoft Graph: scope or role":                                                        "missing_scope likely",
	"Microsoft Graph: Outlook":                                                              "missing_scope likely",
	"Sentry: token lacks the scope":                                                         "missing_scope likely",
	"Snyk REST API: permission missing (scope of an app or role of the user)":               "missing_scope likely",
	"Vercel: integration token without that permission":                                     "missing_scope likely",
	"Keycloak Node.js adapter (keycloak-connect): role missing, or token invalid or absent": "missing_scope proved",
	"LinkedIn: author not allowed (looks like validation)":                                  "unknown unknown",
	// A 404 of what does not exist names the same scopes.
	"GitHub: classic token, REST: 404 instead of a refusal": "missing_scope likely",
	"GitHub: classic token, 404 with both headers":          "missing_scope likely",
	// One response for a scope and for a credential that is not accepted.
	"Discord: scope missing on a user route":                             "missing_scope likely",
	"Discord: bearer token on a route for bots only":                     "missing_scope likely",
	"PostHog LLM gateway: token lacks llm_gateway:read":                  "missing_scope likely",
	"PostHog LLM gateway: token expired, unknown or wrong kind":          "missing_scope likely",
	"PostHog MCP server (mcp.posthog.com/mcp): no token":                 "missing_scope likely",
	"PostHog REST API: endpoint that does not read Bearer tokens at all": "missing_scope likely",
	// What lacks is a permission, which no login can ask for.
	"GitHub: app token: permission named in a header":                                   "always not_a_scope_problem proved",
	"GitHub: fine-grained token, with its sentence":                                     "always not_a_scope_problem proved",
	"GitLab: fine-grained token: permission named":                                      "always not_a_scope_problem proved",
	"Notion: integration lacks a capability (its substitute for a scope)":               "always not_a_scope_problem proved",
	"HubSpot: endpoint that takes a developer API key, called with a private-app token": "rejected likely",
}

// links are where some of them lead, as the response or the file says.
var links = map[string]string{
	"GitHub: SAML SSO not authorized":                              "https://github.com/orgs/octodocs-test/sso?authorization_request=AZSCKtL4U8yX",
	"GitHub: organization restricts OAuth apps":                    "https://github.com/organizations/unit-mesh/settings/oauth_application_policy",
	"GitLab: fine-grained token: permission named":                 "https://gitlab.com/-/user_settings/personal_access_tokens",
	"Stripe: restricted key lacks a permission (newer wording)":    "https://dashboard.stripe.com/b/acct_123?destination=%2Fapikeys%2Fmk_1%2Fedit",
	"Sentry: organisation requires SSO":                            "https://sentry.io/auth/login/acme/",
	"YouTube Data API / Google APIs: API not enabled, with a link": "https://console.developers.google.com/apis/api/youtube.googleapis.com/overview?project=1",
	"Canva: trial quota used up (resize)":                          "https://www.canva.com/?tailoringUpsellDialog=GENERIC_C4W&utm_source=canva_connect_api_resize",
	"Dropbox: the app itself lacks the scope":                      "https://www.dropbox.com/developers/apps",
}

// With the provider file of a service, or a small one of its errors alone, its refusals are read as
// someone who knows the service would.
func TestServices(t *testing.T) {
	all := append(refusaltest.Reals(t), alsoReal(t)...)
	files, err := filepath.Glob("testdata/services/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	read, unread := 0, 0
	for _, file := range files {
		source, _ := os.ReadFile(file)
		of := strings.Split(string(source), "\n")
		if !slices.ContainsFunc(of, func(line string) bool { return strings.HasPrefix(line, "use: ") }) {
			source = append(source, "\nservers: {here: {issuer: 'https://id.example', api: 'https://api.example', mcp: 'https://mcp.example'}}\n"...)
		}
		p, err := provider.Decode(file, source)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, real := range all {
			if !slices.Contains(of, "# of "+real.Service) {
				continue
			}
			if real.Status == 0 || real.Body == "" && len(real.Headers) == 0 {
				unread++
				continue
			}
			read++
			serviceRefuses(t, p, real)
		}
	}
	t.Logf("%d read, %d of which nothing is known but the status", read, unread)
	if read+unread != len(all) {
		t.Errorf("%d are read, of %d", read+unread, len(all))
	}
}

func alsoReal(t *testing.T) (list []refusaltest.Real) {
	source, err := os.ReadFile("testdata/services/also.json")
	if err == nil {
		err = json.Unmarshal(source, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// serviceRefuses tries a refusal with a grant that lacks what the call needs, and, where that is not
// its cause, with one that has everything.
func serviceRefuses(t *testing.T, p *provider.Provider, real refusaltest.Real) {
	t.Helper()
	name := real.Service + ": " + real.Case
	own := needsOf(real)
	if len(own) == 0 {
		own = []scopes.Need{need("own.thing:read")}
	}
	for _, lacks := range []bool{true, false} {
		c := serviceCase(p, real, own, lacks)
		v := diagnosis.Diagnose(c)
		want, sure := serviceCause(real), diagnosis.ConfidenceProved
		if want == diagnosis.CauseRejected {
			sure = diagnosis.ConfidenceLikely
		}
		open, undecided := undecided[name]
		found, always := strings.CutPrefix(open, "always ")
		if always || undecided && lacks {
			cause, confidence, _ := strings.Cut(found, " ")
			want, sure = diagnosis.Cause(cause), diagnosis.Confidence(confidence)
		} else if undecided && v.Cause != diagnosis.CauseMissingScope {
			continue
		}
		if want == diagnosis.CauseMissingScope && !lacks {
			if v.Cause == want && v.Confidence == diagnosis.ConfidenceProved && len(real.HeldNamed) == 0 {
				t.Errorf("%s: everything is held, and %s is proved", name, v.Missing)
			}
			continue
		}
		if v.Cause != want || v.Confidence != sure && real.Status != http.StatusTooManyRequests {
			t.Errorf("%s, lacks %v: %s %s %q (%s), want %s %s", name, lacks, v.Cause, v.Confidence, v.Missing, v.Message, want, sure)
		}
		for _, need := range own {
			if want == diagnosis.CauseMissingScope && !slices.Contains(v.Missing, need.Name()) {
				t.Errorf("%s: %q is missing, want %s", name, v.Missing, need.Name())
			}
		}
		if real.Means == "rate_limit" && real.Status == http.StatusTooManyRequests && v.Cause == want {
			continue // whoever sent the request waits
		}
		if move := diagnosis.Next(c, diagnosis.Untried{}); move != diagnosis.MoveTell {
			t.Errorf("%s, lacks %v: it is not told: %v", name, lacks, move)
		}
		if link := links[name]; link != "" && (len(v.Next) == 0 || v.Next[0].URL != link) {
			t.Errorf("%s: %q, want the link %s", name, v.Next, link)
		}
	}
}

func serviceCause(real refusaltest.Real) diagnosis.Cause {
	switch real.Means {
	case "missing_scope":
		return diagnosis.CauseMissingScope
	case "expired", "invalid":
		return diagnosis.CauseRejected
	}
	return diagnosis.CauseNotAScopeProblem
}

func serviceCase(p *provider.Provider, real refusaltest.Real, own []scopes.Need, lacks bool) diagnosis.Case {
	held := append([]string{"held:read"}, real.HeldNamed...)
	for _, need := range own {
		if !lacks {
			held = append(held, need.AnyOf...)
		}
	}
	base := "api"
	if strings.Contains(real.Service, "gateway") {
		base = "gateway"
	} else if strings.Contains(real.Service, "MCP") {
		base = "mcp"
	}
	server := provider.Server{Name: "here"} // where each has a parameter without a default
	if at := slices.IndexFunc(p.Servers, func(s provider.Server) bool { _, has := s.Base(base); return has }); at >= 0 {
		server = p.Servers[at]
	}
	needs := slices.Clone(own)
	for i := range needs {
		needs[i].UsedBy = []scopes.Operation{{Method: "GET", Base: base, Path: "/call"}}
	}
	response := diagnosis.Response(real.Response())
	if response.Status == 200 {
		response.Header.Set("Content-Type", "application/json")
	}
	return diagnosis.Case{
		Method: "GET", Base: base, Path: "/call", Sent: diagnosis.Sent{Ours: true}, Response: response,
		Provider: p, Server: server, Kind: p.KindOfToken("x"), Login: true, Now: agenttest.Noon(), Needs: needs,
		Grant: scopes.Grant{KnownBy: scopes.TokenResponse, Scopes: scopes.NewSet(held...)},
	}
}
