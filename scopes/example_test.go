package scopes_test

import (
	"fmt"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

const exampleManifest = `
version: 1
name: reporter
provider:
  servers:
    main: {issuer: https://id.example, api: https://api.example}
  implies:
    - {scope: "{x}:write", covers: ["{x}:read"]}
scopes:
  - scope: reports:read
    level: required
    why: lists the reports
    used_by: ["GET {api}/reports/"]
  - scope: reports:write
    level: recommended
    why: saves a report
    used_by: ["POST {api}/reports/"]
  - scope: model:call
    level: required
    advertised: false
    why: writes the summary
  - scope: mail:send
    level: optional
    why: sends it by mail
`

func Example() {
	m, err := manifest.Decode("scopes.yaml", []byte(exampleManifest), nil)
	if err != nil {
		fmt.Println(err) // every mistake, each with file, line and column
		return
	}
	needs, _ := m.Select() // the base, without any program

	plan := scopes.Negotiate(scopes.Negotiation{
		Needs:   needs,
		Implies: m.Provider.Implies,
		Server: scopes.Advertisement{
			State:  scopes.Listed,
			Scopes: scopes.NewSet("reports:read", "reports:write"),
		},
	})
	for _, item := range plan.Scopes {
		fmt.Printf("%-13s %s: %s\n", item.Need.Name(), item.Decision, item.Reason)
	}
	fmt.Println("scope =", plan.Request)
	// Output:
	// reports:read  implied: implied by reports:write
	// reports:write request: advertised
	// model:call    request_unadvertised: not advertised; requested anyway (advertised: false)
	// mail:send     withhold: not in the server's scopes_supported
	// scope = reports:write model:call
}

func ExampleDecode_mistakes() {
	_, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: reporter\nprovider: https://id.example\n"+
		"scopes:\n  - {scope: reports read, level: requird}\n"), nil)
	fmt.Println(err)
	// Output:
	// scopes.yaml:5:13: "reports read" is not a scope: a scope may not contain " " (RFC 6749 §3.3)
	// scopes.yaml:5:34: unknown level "requird" (allowed: required, recommended, optional); did you mean "required"?
}

func ExampleCompare() {
	m, err := manifest.Decode("scopes.yaml", []byte(exampleManifest), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	needs, _ := m.Select()
	granted, _ := scopes.ParseSet("reports:write profile")

	gap := scopes.Compare(needs, scopes.Grant{Scopes: granted}, m.Provider.Implies)
	fmt.Println("required: ", gap.Missing.Required)
	fmt.Println("optional: ", gap.Missing.Optional)
	fmt.Println("covered:  ", gap.Covered)
	fmt.Println("not asked:", gap.Excess)
	// Output:
	// required:  [model:call]
	// optional:  [mail:send]
	// covered:   [{reports:read reports:write}]
	// not asked: profile
}

func ExampleSet() {
	set, err := scopes.ParseSet("b a  b c")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set, set.Len(), set.Has("a"))
	fmt.Println(set.Union(scopes.NewSet("d")).Minus(scopes.NewSet("a")))
	fmt.Println(set.Sorted())
	// Output:
	// b a c 3 true
	// b c d
	// a b c
}

func ExampleImplications() {
	implies, err := scopes.NewImplications([]scopes.Rule{
		{Scope: "{x}:write", Covers: []string{"{x}:read"}},
		{Scope: "*", Covers: []string{"{x}:read", "{x}:write"}, Except: scopes.NewSet("keys:write")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for scope := range implies.Covering("mail:read") {
		fmt.Println(scope)
	}
	by, ok := implies.CoveredBy(scopes.NewSet("*"), "keys:write")
	fmt.Printf("%q %v\n", by, ok)
	// Output:
	// mail:write
	// *
	// "" false
}
