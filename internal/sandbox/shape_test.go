package sandbox

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rootManifest is the manifest of the program that the sandbox imitates the server of.
func rootManifest(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../scopes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wizardScopes lists every scope of the manifest, sorted.
func wizardScopes(t *testing.T) []string {
	t.Helper()
	var scopes []string
	for _, m := range regexp.MustCompile(`scope: "?([a-z_]+:[a-z]+)`).FindAllSubmatch(rootManifest(t), -1) {
		scopes = append(scopes, string(m[1]))
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// Whatever the manifest says that it calls is served here, and needs what it declares.
func TestEveryOperationOfTheManifestIsServed(t *testing.T) {
	s := start(t, Options{})
	fields := regexp.MustCompile(`(?s)scope: "?([a-z_]+:[a-z]+).*?used_by: \[(.*?)\]`)
	operations := regexp.MustCompile(`"(GET|POST) \{(api|gateway)\}(/[^"]*)"|"tool:([^"]+)"`)
	checked := 0
	for _, entry := range fields.FindAllSubmatch(rootManifest(t), -1) {
		scope := string(entry[1])
		for _, op := range operations.FindAllStringSubmatch(string(entry[2]), -1) {
			checked++
			if op[4] != "" {
				if s.shape.lacking([]string{scope}, s.shape.Tools[op[4]].RequiredScopes) != "" && len(s.shape.Tools[op[4]].RequiredScopes) == 1 {
					t.Errorf("tool %s does not need %s", op[4], scope)
				}
				continue
			}
			base := map[string]string{"api": s.Ready().API, "gateway": s.Ready().Gateway}[op[2]]
			path := strings.Replace(op[3], "organizations/{id}", "organizations/@current", 1)
			address := base + strings.Replace(path, "{id}", "1", 1)
			if a := send(t, op[1], address, s.Ready().Keys.Full, map[string]any{"model": "m"}); a.Status >= 300 {
				t.Errorf("%s %s with every scope: %d %s", op[1], address, a.Status, a.Body)
			}
			if a := send(t, op[1], address, s.Ready().MoreKeys["no_scopes"], map[string]any{}); op[2] == "api" && !strings.Contains(a.Body, "missing required scope '"+scope+"'") {
				t.Errorf("%s %s without a scope: %d %s, want it to name %s", op[1], address, a.Status, a.Body, scope)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d operations found in the manifest", checked)
	}
}

func TestShapeHoldsTogether(t *testing.T) {
	s, err := theShape()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Endpoints {
		if _, ok := s.Refusals[e.Refusal]; e.Refusal != "" && !ok {
			t.Errorf("%s: no refusal %q", e.Operation, e.Refusal)
		}
		for _, scope := range e.Scopes {
			if !s.knows(scope) {
				t.Errorf("%s: no scope %q", e.Operation, scope)
			}
		}
		method, _, _ := strings.Cut(e.Operation, " ")
		if s.Defaults[method].Status == 0 {
			t.Errorf("%s: no default answer", e.Operation)
		}
	}
	for name, k := range s.Keys {
		if s.KeyKinds[k.Kind].Prefix == "" {
			t.Errorf("key %s: no kind %q", name, k.Kind)
		}
		for _, group := range k.Of {
			if len(s.groups[group]) == 0 {
				t.Errorf("key %s: no scopes in the group %q", name, group)
			}
		}
	}
	for name, app := range s.Applications {
		for _, scope := range app.Pinned {
			if !contains(app.Ceiling, scope) {
				t.Errorf("application %s pins %s above its ceiling", name, scope)
			}
		}
	}
}
