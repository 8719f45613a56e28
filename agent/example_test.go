package agent_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// fixed is a source whose credential cannot be renewed.
type fixed struct{ *credential.Credential }

func (f fixed) Current(context.Context) (*credential.Credential, error) { return f.Credential, nil }

func (f fixed) Renew(context.Context, *credential.Credential) (*credential.Credential, error) {
	return f.Credential, nil
}

// A gateway refuses without a reason. The manifest and the grant together have one.
func ExampleStart() {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no", http.StatusUnauthorized)
	}))
	defer gateway.Close()
	declared := `{version: 1, name: demo, provider: https://login.example,
	  scopes: [{scope: "models:call", level: required, why: every model call, used_by: ["POST {issuer}/v1/messages"]}]}`
	m, err := manifest.Decode("scopes.yaml", []byte(declared), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	profile, _ := profile.ForCommand(profile.NewCommand("my-agent"))
	token := &credential.Credential{
		Access: credential.NewSecret("secret"), Issuer: "https://login.example",
		Grant: scopes.Grant{Scopes: scopes.NewSet("profile"), KnownBy: scopes.TokenResponse},
	}
	proxy, err := agent.Start(context.Background(), agent.Config{
		Provider: m.Provider, Agent: profile, Needs: m.Scopes,
		Server:    provider.Server{Name: "demo", Bases: []provider.Base{{Name: "issuer", URL: gateway.URL}}},
		Source:    fixed{token},
		OnVerdict: func(v diagnosis.Verdict) { fmt.Println(v.Message) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer proxy.Close()

	// What follows is the child's part.
	terms := proxy.Terms()
	req, _ := http.NewRequest("POST", terms.Bases[0].URL+"/v1/messages", strings.NewReader("{}"))
	req.Header.Set("Authorization", "Bearer "+terms.Lease)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%d %s", resp.StatusCode, body)
	// Output:
	// probably missing scope: models:call (every model call)
	// 401 no
}
