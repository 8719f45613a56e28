package view

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A transport answers every request of a session.
type transport func(*http.Request) string

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, t(r)
	if body == "" {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// The host of the page on which a person consents is named by plan, in text and JSON, and on the start page,
// whoever it belongs to. A login goes there, and its code to the token endpoint, where all is of one party;
// else only where the person says that both belong together: that both may be sent a credential does not
// say so.
func TestConsentHostIsNamed(t *testing.T) {
	const issuer, sibling, other = "id.example.com", "login.example.com:8443", "id.example.net"
	both := []string{issuer, other}
	for name, c := range map[string]struct {
		page, token string
		trusted     []string
		same        [][2]string
		yes         bool
		asked, goes bool
	}{
		"the same host":                       {issuer, issuer, nil, nil, false, false, true},
		"another host of the party":           {sibling, issuer, nil, nil, false, false, true},
		"a token endpoint of the party":       {issuer, sibling, []string{sibling}, nil, false, false, true},
		"another party":                       {other, issuer, nil, nil, false, true, false},
		"another party, both trusted":         {other, issuer, both, nil, false, true, false},
		"another party, both trusted, a yes":  {other, issuer, both, nil, true, true, true},
		"another party, of one service":       {other, issuer, nil, [][2]string{{other, issuer}}, false, false, true},
		"another's token endpoint":            {issuer, other, both, nil, false, true, false},
		"another's token endpoint, a yes":     {issuer, other, both, nil, true, true, true},
		"both of another, and trusted":        {other, other, both, nil, false, true, false},
		"both of another, and trusted, a yes": {other, other, both, nil, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := manifest.Decode("scopes.yaml", []byte(`{version: 1, name: m, provider: {servers: {one: {issuer: "https://`+issuer+`"}}, client: {id: app}}, scopes: [{scope: "a:read", level: required, why: reads}]}`), nil)
			if err != nil {
				t.Fatal(err)
			}
			var codes []string // where one was sent
			answers := transport(func(r *http.Request) string {
				switch r.URL.Path {
				case "/.well-known/oauth-authorization-server":
					return fmt.Sprintf(`{"issuer":"https://%s","authorization_endpoint":"https://%s/a","token_endpoint":"https://%s/t","code_challenge_methods_supported":["S256"],"response_types_supported":["code"]}`, issuer, c.page, c.token)
				case "/t":
					codes = append(codes, r.URL.Host)
					return `{"access_token":"tok_1","token_type":"bearer","scope":"a:read"}`
				}
				return ""
			})
			question, start := "", ""
			pasted := make(chan string, 1)
			ui := ambit.UI{
				Note: func(sentence string) { t.Log(sentence) }, PasteOnly: true,
				Ask: func(_ context.Context, q string) (bool, error) {
					if strings.Contains(q, "belong to the same service") {
						question = q
						return c.yes, nil
					}
					return true, nil // that a host may be sent a credential
				},
				Paste: func() (<-chan string, func()) { return pasted, func() {} },
				Pages: &Pages{Compare: func(*ambit.Session, *ambit.Held) Grant { return Grant{} }},
				Open: func(ctx context.Context, startURL, _ string) error {
					request, err := http.NewRequestWithContext(ctx, http.MethodGet, startURL, nil)
					if err != nil {
						return err
					}
					response, err := new(http.Transport).RoundTrip(request)
					if err != nil {
						return err
					}
					defer response.Body.Close()
					body, err := io.ReadAll(response.Body)
					start = string(body)
					pasted <- "authorization-code-1"
					close(pasted)
					return err
				},
			}
			s, err := ambit.New(m, ambit.Options{Store: &store.Memory{}, Env: []string{"HOME=" + t.TempDir()}, HTTP: &http.Client{Transport: answers}, UI: ui, TrustHosts: c.trusted, SameService: c.same})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := s.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			said := &Printer{Width: 80}
			view := &Plan{Plan: plan}
			view.Text(said)
			if want := "1 scope to request at " + c.page; !strings.Contains(said.String(), want) {
				t.Errorf("plan does not say %q:\n%s", want, said)
			}
			text, err := json.Marshal(view.JSON(Envelope{}))
			if err != nil || !strings.Contains(string(text), fmt.Sprintf(`"consent_host":%q`, c.page)) {
				t.Errorf("%s, %v", text, err)
			}
			_, err = s.Login(t.Context(), plan)
			_, elsewhere := errors.AsType[*ambit.ConsentElsewhereError](err)
			if elsewhere == c.goes || c.goes && err != nil || (question != "") != c.asked {
				t.Errorf("%v; asked %q", err, question)
			}
			if c.asked && (!strings.Contains(question, other) || !strings.Contains(question, issuer)) {
				t.Errorf("asked %q", question)
			}
			wantCodes := []string{}
			if c.goes {
				wantCodes = []string{c.token}
				if !strings.Contains(start, "<strong>"+c.page+"</strong> asks you to agree") || !strings.Contains(start, "Continue to "+c.page+"<") {
					t.Errorf("the start page does not name the host:\n%s", start)
				}
			}
			if strings.Join(codes, " ") != strings.Join(wantCodes, " ") || !c.goes && start != "" {
				t.Errorf("codes went to %v; the start page was %q", codes, start)
			}
		})
	}
}
