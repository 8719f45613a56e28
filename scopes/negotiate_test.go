package scopes_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

// need writes an entry short: "a:read", "a|b", with ! for required, ~ for
// advertised: false, + for one that somebody adds, and @base for the base that an operation stands on.
func need(short string) scopes.Need {
	e := scopes.Need{Level: scopes.Optional}
	short, base, found := strings.Cut(short, "@")
	if found {
		e.UsedBy = []scopes.Operation{{Method: "GET", Base: base, Path: "/"}}
	}
	if rest, ok := strings.CutPrefix(short, "!"); ok {
		short, e.Level = rest, scopes.Required
	}
	if rest, ok := strings.CutPrefix(short, "~"); ok {
		short, e.Unadvertised = rest, true
	}
	if rest, ok := strings.CutPrefix(short, "+"); ok {
		short, e.Added = rest, true
	}
	e.AnyOf = strings.Split(short, "|")
	return e
}

func needs(short string) []scopes.Need {
	var list []scopes.Need
	for word := range strings.FieldsSeq(short) {
		list = append(list, need(word))
	}
	return list
}

func listed(list ...string) scopes.Advertisement {
	return scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(list...)}
}

func partial(list ...string) scopes.Advertisement {
	a := listed(list...)
	a.Partial = true
	return a
}

// setAtServer are the scopes that are set for the client: a person may leave the second out.
func setAtServer(required, optional string) scopes.Advertisement {
	return scopes.Advertisement{Set: scopes.NewSet(required, optional), Optional: scopes.NewSet(optional)}
}

// except is a list of which ordinary people are not granted some.
func except(some string, list ...string) scopes.Advertisement {
	a := listed(list...)
	var err error
	if a.Except, err = scopes.NewForms(strings.Fields(some)...); err != nil {
		panic(err)
	}
	return a
}

func TestNegotiate(t *testing.T) {
	api := func(list ...string) []scopes.Resource {
		return []scopes.Resource{{Base: "api", Advertises: listed(list...)}}
	}
	for _, c := range []struct {
		name      string
		needs     string
		server    scopes.Advertisement
		resources []scopes.Resource
		refused   []string
		request   string
		withheld  string
		blocked   string
	}{
		{name: "nothing at all"},
		{name: "a resource's list that is a part", needs: "!a@api b@api", resources: []scopes.Resource{{Base: "api", Advertises: partial("b")}}, request: "a b"},
		{name: "in a resource's list, for some", needs: "!a@api b@api", resources: []scopes.Resource{{Base: "api", Advertises: except("b", "a", "b")}}, request: "a", withheld: "b"},
		{name: "for some there, and the server has it", needs: "b@api", server: listed("b"), resources: []scopes.Resource{{Base: "api", Advertises: except("b", "a", "b")}}, request: "b"},
		{name: "a part there, and not the server's", needs: "!a@api", server: listed("b"), resources: []scopes.Resource{{Base: "api", Advertises: partial("b")}}, withheld: "a", blocked: "a"},
		{name: "set at the server", needs: "!a b c", server: setAtServer("a", "b"), request: "a b", withheld: "c"},
		{name: "not set, and required", needs: "!a !c", server: setAtServer("a", "b"), request: "a", withheld: "c", blocked: "c"},
		{name: "a list", needs: "!a b", server: listed("b", "a"), request: "a b"},
		{name: "not in the list", needs: "!a b !c", server: listed("b"), request: "b", withheld: "a c", blocked: "a c"},
		{name: "optional withheld blocks nothing", needs: "a b", server: listed("b"), request: "b", withheld: "a"},
		{name: "absent", needs: "!a b", server: scopes.Advertisement{State: scopes.Absent}, request: "a b"},
		{name: "the zero value is absent", needs: "!a b", request: "a b"},
		{name: "empty is as absent", needs: "!a b", server: scopes.Advertisement{State: scopes.Empty}, request: "a b"},
		{name: "granted though not advertised", needs: "!~a b", server: listed("b"), request: "a b"},
		{name: "said to be unadvertised, and advertised", needs: "~a", server: listed("a"), request: "a"},
		{name: "added though not advertised", needs: "a +b", server: listed("a"), request: "a b"},
		{name: "added against a resource's list", needs: "+b@api", server: listed("a"), resources: api("a"), request: "b"},
		{name: "added, and refused", needs: "a +b", refused: []string{"b"}, request: "a", withheld: "b"},
		{name: "added beside an alternative", needs: "a|b +b", request: "b"},
		{name: "added, and implied by what is asked for", needs: "x:write +x:read", request: "x:write"},

		{name: "a list of some scopes", needs: "!a b", server: partial("b"), request: "a b"},
		{name: "in the list, and not for everyone", needs: "!a b user:x", server: except("b user:{x}", "a", "b", "user:x"), request: "a", withheld: "b user:x"},
		{name: "the manifest says that it is granted", needs: "~b", server: except("b", "b"), request: "b"},

		{name: "implied", needs: "x:read x:write", server: listed("x:read", "x:write"), request: "x:write"},
		{name: "implied by one that stands behind", needs: "x:read y:read *", request: "*"},
		{name: "implied in a chain", needs: "x:read * x:write", request: "*"},
		{name: "implied by what is withheld: no", needs: "x:read x:write", server: listed("x:read"), request: "x:read", withheld: "x:write"},
		{name: "implied, though not in the list", needs: "!x:read x:write", server: listed("x:write"), request: "x:write"},
		{name: "an exception is asked beside", needs: "inner:read *", request: "inner:read *"},

		{name: "any of: the first", needs: "a|b", request: "a"},
		{name: "any of: the first not withheld", needs: "a|b", server: listed("b"), request: "b"},
		{name: "any of: none", needs: "!a|b", server: listed("c"), withheld: "a|b", blocked: "a|b"},
		{name: "any of: asked anyway", needs: "a|b b", request: "b"},
		{name: "any of: covered anyway", needs: "a|x:read x:write", request: "x:write"},
		{name: "any of: covered though withheld by itself", needs: "x:read|b x:write b", server: listed("x:write", "b"), request: "x:write b"},
		{name: "any of: by an earlier choice", needs: "a|b b|a", request: "a"},
		{name: "any of: its choice covers others", needs: "x:read x:write|b", request: "x:write"},
		{name: "any of: a choice that a later one covers", needs: "x:read|a x:write|b", request: "x:write"},
		{name: "any of: refused", needs: "a|b", refused: []string{"a"}, request: "b"},
		{name: "any of: all unadvertised", needs: "!~a|b", server: listed("c"), request: "a"},

		{name: "refused", needs: "a !b", refused: []string{"a", "b"}, withheld: "a b", blocked: "b"},
		{name: "refused though unadvertised", needs: "~a", refused: []string{"a"}, withheld: "a"},
		{name: "refused takes no other along", needs: "x:read x:write", refused: []string{"x:write"}, request: "x:read", withheld: "x:write"},

		{name: "the resource lists less than the server", needs: "a@api b@api", server: listed("a", "b"), resources: api("a"), request: "a b"},
		{name: "only the resource knows", needs: "a@api", server: listed("b"), resources: api("a"), withheld: "a"},
		{name: "the resource limits its own scopes only", needs: "a b@mcp c@api", resources: api("c"), request: "a b c"},
		{name: "neither knows", needs: "a@api", server: listed("b"), resources: api("b"), withheld: "a"},
		{name: "the resource limits nothing unadvertised", needs: "~a@api", server: listed("b"), resources: api("b"), request: "a"},
		{name: "the resource where the server does not say", needs: "a@api b@api", resources: api("a"), request: "a", withheld: "b"},
		{
			name: "a resource that does not say", needs: "a@api", server: listed("a"),
			resources: []scopes.Resource{{Base: "api", Advertises: scopes.Advertisement{State: scopes.Empty}}}, request: "a",
		},
		{name: "the same scope twice", needs: "a a", request: "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := scopes.Negotiate(scopes.Negotiation{
				Needs: needs(c.needs), Implies: usual(t), Server: c.server, Resources: c.resources, Refused: scopes.NewSet(c.refused...),
			})
			got := []string{plan.Request.String(), strings.Join(plan.Withheld, " "), strings.Join(plan.Blocked, " ")}
			if diff := cmp.Diff([]string{c.request, c.withheld, c.blocked}, got); diff != "" {
				t.Errorf("request, withheld, blocked (-want +got):\n%s", diff)
			}
			checkPlan(t, plan)
		})
	}
}

// checkPlan holds what is true of every plan.
func checkPlan(t *testing.T, plan scopes.Plan) {
	t.Helper()
	if plan.Resources == nil || plan.Scopes == nil || plan.Withheld == nil || plan.Blocked == nil {
		t.Error("a list of the plan is nil: its JSON would be null")
	}
	for _, item := range plan.Scopes {
		asks := item.Decision == scopes.DecisionRequest || item.Decision == scopes.DecisionRequestUnadvertised
		if asks != (item.Asked != "") || asks && !plan.Request.Has(item.Asked) {
			t.Errorf("%s: decision %s, asks for %q, request %q", item.Need.Name(), item.Decision, item.Asked, plan.Request)
		}
		if item.Reason == "" || item.Advertised == "" {
			t.Errorf("%s: reason %q, advertised %q", item.Need.Name(), item.Reason, item.Advertised)
		}
		withheld := slices.Contains(plan.Withheld, item.Need.Name())
		if (item.Decision == scopes.DecisionWithhold) != withheld {
			t.Errorf("%s: %s, and withheld lists %v", item.Need.Name(), item.Decision, plan.Withheld)
		}
	}
}

// A reason names what is really asked for, not what that in turn covers.
func TestReasonsNameWhatIsAsked(t *testing.T) {
	plan := scopes.Negotiate(scopes.Negotiation{Needs: needs("x:read x:write * x:read|a a|b"), Implies: usual(t), Server: listed("x:read", "x:write", "*", "b")})
	var got []string
	for _, item := range plan.Scopes {
		got = append(got, fmt.Sprintf("%s: %s, %s", item.Need.Name(), item.Decision, item.Reason))
	}
	want := []string{
		"x:read: implied, implied by *",
		"x:write: implied, implied by *",
		"*: request, advertised",
		"x:read|a: implied, implied by *",
		"a|b: request, advertised",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// advertised reads scopes_supported of a metadata document in testdata.
func advertised(t *testing.T, file string) scopes.Advertisement {
	t.Helper()
	text, err := os.ReadFile("testdata/metadata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Scopes []string `json:"scopes_supported"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return listed(doc.Scopes...)
}

// The root's manifest against the real documents of its server, each program with it.
func TestNegotiateRootManifest(t *testing.T) {
	m, err := manifest.Decode("scopes.yaml", ambit.ExampleManifest, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, resource := advertised(t, "oauth-authorization-server.json"), advertised(t, "oauth-protected-resource.json")
	var out strings.Builder
	for _, programs := range [][]string{nil, m.ProgramNames()} {
		entries, err := m.Select(programs...)
		if err != nil {
			t.Fatal(err)
		}
		plan := scopes.Negotiate(scopes.Negotiation{
			Needs: entries, Implies: m.Provider.Implies, Server: server,
			Resources: []scopes.Resource{{Base: "api", Advertises: resource}},
		})
		checkPlan(t, plan)
		fmt.Fprintf(&out, "programs: %s\n", strings.Join(programs, " "))
		for _, item := range plan.Scopes {
			fmt.Fprintf(&out, "  %-28s %-12s %-8s %-21s %s\n", item.Need.Name(), item.Need.Level, item.Advertised, item.Decision, item.Reason)
		}
		fmt.Fprintf(&out, "request: %s\nwithheld: %s\nblocked: %s\n\n", plan.Request, strings.Join(plan.Withheld, " "), strings.Join(plan.Blocked, " "))
	}
	testkit.Golden(t, "testdata/metadata/plan.golden", out.String())
}

// A server may list a scope twice; that is no other scope.
func TestNegotiateWithAListThatRepeats(t *testing.T) {
	listed := strings.Fields("s0 s1 s2 s3 s0 s4 s5 s6 s7 s8 s9")
	plan := scopes.Negotiate(scopes.Negotiation{
		Needs:  []scopes.Need{{AnyOf: []string{"s0"}}, {AnyOf: []string{"s4", "s5"}}},
		Server: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(listed...)},
	})
	if got := plan.Request.String(); got != "s0 s4" {
		t.Errorf("asks for %q", got)
	}
}

// What a person may leave out, though the program needs it, is told before anybody is asked; a wider scope that is set
// there is as good, and an entry that says so is requested whatever is set.
func TestNegotiateWhatIsSetAtTheServer(t *testing.T) {
	implies, err := scopes.NewImplications([]scopes.Rule{{Scope: "{x}:write", Covers: []string{"{x}:read"}}})
	if err != nil {
		t.Fatal(err)
	}
	plan := scopes.Negotiate(scopes.Negotiation{Implies: implies, Server: setAtServer("a:write", "b:write"), Needs: []scopes.Need{
		{AnyOf: []string{"a:read"}, Level: scopes.Required},
		{AnyOf: []string{"b:write"}, Level: scopes.Required},
		{AnyOf: []string{"c:read"}, Level: scopes.Required},
		{AnyOf: []string{"d:read"}, Level: scopes.Required, Unadvertised: true},
	}})
	for i, want := range []string{"the server does not say which scopes it knows", "; the person may leave it out, as it is set at the server", "it is not among the scopes that are set for the client at the server", "requested, whatever the server advertises"} {
		if got := plan.Scopes[i]; !strings.HasSuffix(got.Reason, want) || (got.Asked == "") != (i == 2) {
			t.Errorf("%s: %q, asked for %q; want %q", got.Need.Name(), got.Reason, got.Asked, want)
		}
	}
}

// Where it is known which scopes exist, one that looks like a slip of the pen is told; it is requested all
// the same, and a name that is known under another form is none.
func TestNegotiateDoubts(t *testing.T) {
	needs := func(list ...string) []scopes.Need {
		var all []scopes.Need
		for _, scope := range list {
			all = append(all, scopes.Need{AnyOf: []string{scope}, Level: scopes.Required})
		}
		return all
	}
	known := scopes.NewSet("repo", "read:org", "Mail.Read")
	implies := scopes.Implications{}.WithNames(scopes.Names{Prefix: "https://graph.example/", AnyCase: true})
	n := scopes.Negotiation{
		Needs: needs("raed:org", "REPO", "https://graph.example/mail.read", "elsewhere"), Implies: implies,
		Server: scopes.Advertisement{Known: known, Partial: true, State: scopes.Listed, Scopes: scopes.NewSet("openid")},
	}
	plan := scopes.Negotiate(n)
	for i, want := range [][]string{{"read:org"}, nil, nil, nil} {
		if got := plan.Scopes[i]; !slices.Equal(n.Near(plan)[got.Asked], want) || got.Decision != scopes.DecisionRequest {
			t.Errorf("%s: %s, meant %q, want %q", got.Asked, got.Decision, n.Near(plan)[got.Asked], want)
		}
	}
	// What the server's own list withholds is looked up there too; what it does not grant to ordinary people
	// is no suggestion, and whoever says that a scope is not advertised gets none.
	except, err := scopes.NewForms("read:orgs")
	if err != nil {
		t.Fatal(err)
	}
	n = scopes.Negotiation{Needs: needs("raed:org"), Server: scopes.Advertisement{Known: known, State: scopes.Listed, Scopes: scopes.NewSet("openid", "read:orgs"), Except: except}}
	plan = scopes.Negotiate(n)
	if got := n.Near(plan)["raed:org"]; plan.Scopes[0].Decision != scopes.DecisionWithhold || !slices.Equal(got, []string{"read:org"}) {
		t.Errorf("%s, meant %q", plan.Scopes[0].Decision, got)
	}
	n.Needs[0].Unadvertised = true
	if got := n.Near(scopes.Negotiate(n)); len(got) > 0 {
		t.Errorf("meant %q by what the manifest says is granted", got)
	}
	// A resource's list has scopes too; of several that are enough each is looked for; one that exists is enough.
	n = scopes.Negotiation{
		Needs:     []scopes.Need{{AnyOf: []string{"insigt:read", "dashbord:read"}}, {AnyOf: []string{"insight", "insigth:read"}}},
		Server:    scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("insight:read")},
		Resources: []scopes.Resource{{Base: "mcp", Advertises: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("dashboard:read", "insight")}}},
	}
	want := map[string][]string{"insigt:read|dashbord:read": {"insight:read", "dashboard:read"}}
	if diff := cmp.Diff(want, n.Near(scopes.Negotiate(n))); diff != "" {
		t.Error(diff)
	}
}
