package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit/replay"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"
)

// A situation is one that each provider's exchanges have to show, in a scenario whose name begins so.
type situation struct {
	scenario string
	what     string
	shows    func(p *provider.Provider, s scenario) bool
}

var situations = []situation{
	{"login", "a login", func(_ *provider.Provider, s scenario) bool { return s.grants("authorization_code") }},
	{"narrowed", "a login that grants less", func(_ *provider.Provider, s scenario) bool { return s.narrows() }},
	{"refresh", "a renewal", func(_ *provider.Provider, s scenario) bool { return s.grants("refresh_token") }},
	{"revoked", "a credential that was revoked", func(_ *provider.Provider, s scenario) bool { return s.ends() }},
	{"expired", "a credential that has ended", func(_ *provider.Provider, s scenario) bool {
		return s.says(`cause '"expired"'`) && slices.ContainsFunc(s.exchanges, refused) || s.renews()
	}},
	{"refused", "a call that is refused for a scope", func(_ *provider.Provider, s scenario) bool {
		return s.says(`^jsonpath report\.json verdicts\.0\.cause '"missing_scope"'`)
	}},
	{"refused", "a call that is refused for another reason", func(_ *provider.Provider, s scenario) bool {
		return s.says(`^jsonpath report\.json verdicts\.0\.cause '"not_a_scope_problem"'`)
	}},
}

// unseenIn are the situations that a service does not have, as its directory says: each with what
// docs/providers.md says of it there.
func unseenIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "unseen.yaml"))
	unseen := make(map[string]string)
	if errors.Is(err, fs.ErrNotExist) {
		return unseen
	}
	if err == nil {
		err = yaml.Unmarshal(text, &unseen)
	}
	if err != nil {
		t.Fatal(err)
	}
	return unseen
}

// TestExchangesShowEachSituation wants each provider's exchanges to show each situation, and each kind of credential
// that is asked about to be found good in one of them.
func TestExchangesShowEachSituation(t *testing.T) {
	for _, name := range provider.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(providerDir, name)
			p, played, excused := providerOf(t, name), scenariosOf(t, dir), unseenIn(t, dir)
			wants := func(what string, shown bool) {
				t.Helper()
				why, excepted := excused[what]
				delete(excused, what)
				switch {
				case shown && excepted:
					t.Errorf("the exchanges show %s, and are excused from that", what)
				case excepted && !strings.Contains(row(t, name), why):
					t.Errorf("the row of docs/providers.md does not say %q, which is why no exchange shows %s", why, what)
				case !shown && !excepted:
					t.Errorf("no exchange shows %s", what)
				}
			}
			for _, one := range situations {
				wants(one.what, slices.ContainsFunc(played, func(s scenario) bool { return strings.HasPrefix(s.name, one.scenario) && one.shows(p, s) }))
			}
			for _, kind := range p.Credentials {
				if len(kind.Inspect) > 0 {
					wants("the inspection of "+kindName(kind), slices.ContainsFunc(played, func(s scenario) bool { return s.inspects(p, kind) }))
				}
			}
			for what := range excused {
				t.Errorf("no test asks for %s", what)
			}
		})
	}
}

// row is that of a provider in the table of docs/providers.md.
func row(t *testing.T, name string) string {
	t.Helper()
	return regexp.MustCompile("(?m)^\\| `" + name + "` \\|.*$").FindString(read(t, "docs/providers.md"))
}

// A scenario is a script, and the exchanges of the files that it plays.
type scenario struct {
	name, script string
	exchanges    []replay.Exchange
}

func scenariosOf(t *testing.T, dir string) (list []scenario) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := scenario{name: filepath.Base(file), script: string(archive.Comment)}
		for _, line := range regexp.MustCompile(`(?m)^play .*$`).FindAllString(s.script, -1) {
			for _, name := range strings.Fields(line)[1:] {
				text, err := os.ReadFile(filepath.Join(dir, name))
				for _, own := range archive.Files {
					if own.Name == name {
						text, err = own.Data, nil
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				some, err := replay.Parse(name, text)
				if err != nil {
					t.Fatal(err)
				}
				s.exchanges = append(s.exchanges, some...)
			}
		}
		list = append(list, s)
	}
	return list
}

func (s scenario) says(pattern string) bool {
	return regexp.MustCompile("(?m)" + pattern).MatchString(s.script)
}

// grants reports whether a token is given for a grant of that type.
func (s scenario) grants(kind string) bool {
	return slices.ContainsFunc(s.exchanges, func(e replay.Exchange) bool { return grantOf(e) == kind && !refused(e) })
}

// narrows reports whether a person hears of a scope that was requested at a login, and that the token response does
// not name.
func (s scenario) narrows() bool {
	names := func(text, scope string) bool {
		return slices.Contains(strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" ,+\"", c) }), scope)
	}
	requested := func(scope string) bool {
		return slices.ContainsFunc(s.exchanges, func(e replay.Exchange) bool {
			return slices.ContainsFunc(slices.Concat(e.Query, e.Body.Form), func(f replay.Field) bool { return names(f.Value, scope) })
		})
	}
	given := func(scope string) bool {
		return slices.ContainsFunc(s.exchanges, func(e replay.Exchange) bool {
			return grantOf(e) == "authorization_code" && !refused(e) && names(e.Response, scope)
		})
	}
	missing := regexp.MustCompile(`(?m)^stdout '\^- (\S+) \+(?:required|recommended|optional): `).FindAllStringSubmatch(s.script, -1)
	return s.grants("authorization_code") && slices.ContainsFunc(missing, func(m []string) bool { return requested(m[1]) && !given(m[1]) })
}

// ends reports whether the service refuses a credential, or to renew it, never takes it afterwards, and the command
// says that it is not accepted or that another login helps.
func (s scenario) ends() bool {
	told := s.says(`cause '"rejected"'`) || s.says(`^stderr '.*ambit login`)
	last := slices.IndexFunc(s.exchanges, refused)
	return last >= 0 && s.says(`^exits 4 `) && told && !slices.ContainsFunc(s.exchanges[last:], func(e replay.Exchange) bool {
		return grantOf(e) != "" && !refused(e)
	})
}

// renews reports whether a request that was refused succeeds after a renewal.
func (s scenario) renews() bool {
	for i, first := range s.exchanges {
		if !refused(first) || grantOf(first) != "" {
			continue
		}
		later := s.exchanges[i+1:]
		renewal := slices.IndexFunc(later, func(e replay.Exchange) bool { return grantOf(e) == "refresh_token" && !refused(e) })
		if renewal >= 0 && slices.ContainsFunc(later[renewal:], func(e replay.Exchange) bool {
			return e.Method+e.URL == first.Method+first.URL && !refused(e)
		}) {
			return true
		}
	}
	return false
}

// refused reports whether a response is none of success: some services say so with a status of 200.
func refused(e replay.Exchange) bool {
	return e.Status >= 400 || strings.Contains(e.Response, `"ok": false`) || strings.HasPrefix(e.Response, `{"error`)
}

func grantOf(e replay.Exchange) string {
	members, _ := e.Body.JSON.(map[string]any)
	kind, _ := members["grant_type"].(string)
	for _, f := range e.Body.Form {
		if f.Name == "grant_type" {
			kind = f.Value
		}
	}
	return kind
}

// inspects reports whether a credential of the kind is asked about, and found good.
func (s scenario) inspects(p *provider.Provider, kind provider.CredentialKind) bool {
	is := func(value string) bool {
		value = strings.NewReplacer("{*}", "x").Replace(value[strings.LastIndexAny(value, " =")+1:])
		return value != "" && slices.ContainsFunc([]provider.CredentialKind{p.KindOf(value), p.KindOfToken(value)}, func(k provider.CredentialKind) bool {
			return k.Kind == kind.Kind && k.Prefix == kind.Prefix
		})
	}
	asks := func(e replay.Exchange) bool {
		return slices.ContainsFunc(kind.Inspect, func(way provider.Inspection) bool {
			return way.Introspection && strings.Contains(e.URL, "introspect") || slices.Contains(addresses(p, way), e.Method+" "+e.URL)
		})
	}
	return s.says(`ambit check`) && slices.ContainsFunc(s.exchanges, func(e replay.Exchange) bool {
		return !refused(e) && asks(e) && slices.ContainsFunc(sentIn(e), is)
	})
}

// sentIn are the values that a request carries.
func sentIn(e replay.Exchange) (list []string) {
	for _, f := range slices.Concat(e.Header, e.Body.Form) {
		list = append(list, f.Value)
	}
	members, _ := e.Body.JSON.(map[string]any)
	for _, value := range members {
		if text, is := value.(string); is {
			list = append(list, text)
		}
	}
	return list
}
