package sandbox

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestManifestKeepsEveryOtherByte(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"plain":         {"version: 1\nprovider: acme # ours\nname: x\n", "version: 1\nprovider: /p.yaml # ours\nname: x\n"},
		"no end":        {"provider: acme", "provider: /p.yaml"},
		"CRLF":          {"provider: acme\r\nname: x\r\n", "provider: /p.yaml\r\nname: x\r\n"},
		"quoted":        {`provider: "ac#me"   # c` + "\nname: 'x'\n", `provider: /p.yaml   # c` + "\nname: 'x'\n"},
		"single quoted": {"provider: 'it''s'\n", "provider: /p.yaml\n"},
		"quoted key":    {`"provider": acme` + "\n", `"provider": /p.yaml` + "\n"},
		"spaces":        {"provider:    acme\n", "provider:    /p.yaml\n"},
		"flow":          {"name: x\nprovider: {use: acme, servers: {us: {issuer: 'https://a'}}} # c }\nversion: 1\n", "name: x\nprovider: /p.yaml # c }\nversion: 1\n"},
		"block":         {"provider: # c\n  use: acme\n  default_server: us\n\n# of the next\nname: x\n", "provider: /p.yaml\n\n# of the next\nname: x\n"},
		"last block":    {"name: x\nprovider:\n  use: acme\n", "name: x\nprovider: /p.yaml\n"},
		"nobody":        {"# head\nname: x\n", "# head\nprovider: /p.yaml\nname: x\n"},
		"nested":        {"programs:\n  provider: {scopes: []}\nprovider: acme\n", "programs:\n  provider: {scopes: []}\nprovider: /p.yaml\n"},
		"not ASCII":     {"name: ümlaut\nprovider: acmé # é\n", "name: ümlaut\nprovider: /p.yaml # é\n"},
	} {
		got, err := withProvider([]byte(tt.text), "/p.yaml")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, text := range []string{"", "- a\n", "provider: [\n", "provider: |\n  acme\nname: x\n"} {
		if got, err := withProvider([]byte(text), "/p.yaml"); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestManifestTakesAnyPath(t *testing.T) {
	for _, path := range []string{"/a b/ü.yaml", `C:\x "y"\p.yaml`, "/a: #b.yaml"} {
		got, err := withProvider([]byte("provider: acme # c\nname: x\n"), path)
		if err != nil {
			t.Fatal(err)
		}
		var read struct{ Provider, Name string }
		if err := yaml.Unmarshal(got, &read); err != nil || read.Provider != path || read.Name != "x" {
			t.Errorf("%q: read back as %q, %v", path, read.Provider, err)
		}
	}
}

func TestTheRootsManifestNamesTheProviderFile(t *testing.T) {
	original := rootManifest(t)
	s := start(t, Options{Manifest: original})
	got, err := os.ReadFile(s.Ready().Manifest)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(original), "\nprovider: posthog\n", "\nprovider: "+s.Ready().Provider+"\n", 1)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestProviderFile(t *testing.T) {
	s := start(t, Options{})
	text, err := os.ReadFile(s.Ready().Provider)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	ports, _ := got["client"].(map[string]any)["redirect"].(map[string]any)["ports"].([]any)
	seen := map[any]bool{}
	for _, port := range ports {
		seen[port] = true
		if port.(int) >= 8235 && port.(int) <= 8240 {
			t.Errorf("port %v belongs to the real program", port)
		}
	}
	if len(seen) != 6 {
		t.Errorf("ports %v", ports)
	}
	delete(got, "client")
	r := s.Ready()
	region := func(name string) map[string]any {
		at := r.Regions[name]
		return map[string]any{"issuer": at.Issuer, "api": at.API, "gateway": at.Gateway, "mcp": at.MCP, "ask_on_401": true}
	}
	want := map[string]any{
		"use": "posthog", "default_server": "cloud",
		"servers": map[string]any{"cloud": map[string]any{"issuer": r.Issuer}, "us": region("us"), "eu": region("eu")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
