package scopes_test

import (
	"slices"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

// Each way of naming scopes that is out there tells the resource.
func TestResourceOf(t *testing.T) {
	for scope, want := range map[string]string{
		"insight:read":            "insight",
		"insight:write":           "insight",
		"event_definition:read":   "event_definition",
		"read:org":                "org",
		"admin:repo_hook":         "repo_hook",
		"repo:status":             "repo:status",
		"repo":                    "repo",
		"write_repository":        "repository",
		"read_api":                "api",
		"api":                     "api",
		"channels:history":        "channels:history",
		"User.Read.All":           "user",
		"Mail.ReadWrite":          "mail",
		"apps.groups.read":        "apps.groups",
		"crm.objects.deals.write": "crm.objects.deals",
		"https://www.svc.example/auth/drive.metadata.readonly":  "drive",
		"https://mail.svc.example/":                             "mail.svc.example",
		"https://www.svc.example/auth/storage.read_only":        "storage",
		"https://www.svc.example/auth/storage.full_control":     "storage",
		"https://www.svc.example/auth/cloud-platform.read-only": "cloud-platform",
		"openid":         "openid",
		"offline_access": "offline_access",
		"read":           "",
		"admin":          "",
		"::":             "",
		"":               "",
	} {
		if got := scopes.ResourceOf(scope); got != want {
			t.Errorf("%q is for %q, not %q", scope, got, want)
		}
	}
}

// What a scope allows is told by its name, and by which of its words.
func TestActionOf(t *testing.T) {
	for scope, want := range map[string][2]string{
		"insight:read":            {"read", "read"},
		"user-read-email":         {"read", "read"},
		"drive.metadata.readonly": {"read", "metadata readonly"},
		"insight:write":           {"write", "write"},
		"repo:delete":             {"write", "delete"},
		"User.Read.All":           {"read", "read all"},
		"admin:repo_hook":         {"other", "admin"},
		"repo":                    {"other", ""},
		"*":                       {"other", ""},
		"":                        {"other", ""},
	} {
		if action, words := scopes.ActionOf(scope); string(action) != want[0] || words != want[1] {
			t.Errorf("%q allows %s by %q, want %v", scope, action, words, want)
		}
	}
}

// Each scope stands there once, whoever names it, the less first.
func TestOffer(t *testing.T) {
	except, err := scopes.NewForms("a:admin")
	if err != nil {
		t.Fatal(err)
	}
	server := scopes.Advertisement{
		State: scopes.Listed, Scopes: scopes.NewSet("b:write", "a:admin", "b:read"),
		Known: scopes.NewSet("a:read", "b:read"), Except: except,
	}
	resources := []scopes.Resource{
		{Base: "api", Advertises: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("b:read", "c")}},
		{Base: "mcp", Advertises: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("b:read")}},
	}
	got := scopes.NewOffer(server, resources, func(scope string) string { return "allows " + scope })
	want := scopes.Offer{
		{Scope: "a:read", About: "allows a:read", Resource: "a"},
		{Scope: "a:admin", About: "allows a:admin", Resource: "a", Listed: true, Withheld: true},
		{Scope: "b:read", About: "allows b:read", Resource: "b", Listed: true, Bases: []string{"api", "mcp"}},
		{Scope: "b:write", About: "allows b:write", Resource: "b", Listed: true},
		{Scope: "c", About: "allows c", Resource: "c", Bases: []string{"api"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if names := got.Names(); !slices.Equal(names, []string{"a:read", "a:admin", "b:read", "b:write", "c"}) {
		t.Error(names)
	}
	if none := scopes.NewOffer(scopes.Advertisement{}, nil, nil); len(none) > 0 {
		t.Error(none)
	}
}
