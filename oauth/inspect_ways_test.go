package oauth_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

var inspectedAt = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// asking is an Inspector of a server with one kind of credential, which is inspected in these ways.
func asking(t *testing.T, handler http.HandlerFunc, change func(*provider.CredentialKind), ways ...provider.Inspection) *oauth.Inspector {
	t.Helper()
	inspector := inspecting(t, handler)
	kind := provider.CredentialKind{Prefix: "key_", Kind: "key", Label: "a key", Inspect: ways}
	if change != nil {
		change(&kind)
	}
	inspector.Provider.Credentials = []provider.CredentialKind{kind}
	inspector.Now = func() time.Time { return inspectedAt }
	return inspector
}

// The request is the one that the file describes, and the credential stands in it once.
func TestInspectionRequest(t *testing.T) {
	const secret = testAPIKey
	for name, tt := range map[string]struct {
		way  provider.Inspection
		want string // METHOD URL, the fields that were asked for, body
	}{
		"as it always was":    {provider.Inspection{}, "GET /me Bearer " + secret},
		"HEAD":                {provider.Inspection{Method: "HEAD"}, "HEAD /me Bearer " + secret},
		"in a header":         {provider.Inspection{Send: provider.Sending{Header: "PRIVATE-TOKEN"}}, "GET /me private=" + secret},
		"in words of its own": {provider.Inspection{Send: provider.Sending{Header: "Authorization", Text: "Token token={credential}"}}, "GET /me Token token=" + secret},
		"in a member":         {provider.Inspection{Method: "POST", Send: provider.Sending{Member: "tokenKey"}}, `POST /me type=application/json {"tokenKey":"` + secret + `"}`},
		"in the query":        {provider.Inspection{Send: provider.Sending{Parameter: "access_token"}}, "GET /me?access_token=" + secret},
		"beside a query":      {provider.Inspection{URL: "{api}/me?fields=scopes"}, "GET /me?fields=scopes Bearer " + secret},
		"in a query of its own": {
			provider.Inspection{URL: "{api}/me?fields=scopes", Send: provider.Sending{Parameter: "access_token"}},
			"GET /me?fields=scopes&access_token=" + secret,
		},
		"in a form": {
			provider.Inspection{Method: "POST", Send: provider.Sending{Parameter: "token"}},
			"POST /me type=application/x-www-form-urlencoded token=" + secret,
		},
		"JSON, and fields besides": {
			provider.Inspection{Method: "POST", Body: `{"query":"{ viewer }"}`, Headers: []provider.Parameter{{Name: "X-Version", Value: "7"}, {Name: "Accept", Value: "application/vnd.x+json"}}},
			`POST /me Bearer ` + secret + ` type=application/json version=7 accept=application/vnd.x+json {"query":"{ viewer }"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.way.URL, tt.way.Scopes = cmp.Or(tt.way.URL, "{api}/me"), provider.Place{Header: "X-Scopes"}
			inspector := asking(t, func(w http.ResponseWriter, r *http.Request) {
				got := []string{r.Method, r.URL.String(), r.Header.Get("Authorization")}
				for _, field := range [][2]string{{"private", "Private-Token"}, {"type", "Content-Type"}, {"version", "X-Version"}, {"accept", "Accept"}} {
					if value := r.Header.Get(field[1]); value != "" && value != "application/json" || field[0] == "type" && value != "" {
						got = append(got, field[0]+"="+value)
					}
				}
				body, _ := io.ReadAll(r.Body)
				got = append(got, string(body))
				if sent := strings.Join(strings.Fields(strings.Join(got, " ")), " "); sent != tt.want {
					t.Errorf("sent %q, want %q", sent, tt.want)
				}
				w.Header().Set("X-Scopes", "a:read")
			}, nil, tt.way)
			if _, err := inspector.Inspect(t.Context(), bare(secret)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Wherever a request has the credential, it is redirected nowhere, and no error shows it.
func TestInspectionIsRedirectedNowhere(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked: %s %v", r.URL, r.Header) }))
	defer other.Close()
	for _, send := range []provider.Sending{{}, {Header: "PRIVATE-TOKEN"}, {Header: "Authorization", Text: "Token {credential}"}, {Parameter: "access_token"}} {
		for _, target := range []string{other.URL, "/elsewhere"} {
			handler := func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/me" {
					t.Errorf("%+v was redirected to %s", send, r.URL.Path)
				}
				http.Redirect(w, r, target, http.StatusTemporaryRedirect)
			}
			_, err := asking(t, handler, nil, provider.Inspection{URL: "{api}/me", Send: send, Scopes: at("scopes")}).Inspect(t.Context(), bare(testAPIKey))
			if err == nil || storetest.Leaks(err.Error()) || storetest.Leaks(fmt.Sprintf("%+v", err)) {
				t.Errorf("%+v: %v", send, err)
			}
		}
	}
	silent := asking(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, provider.Inspection{URL: "{api}/me", Send: provider.Sending{Parameter: "access_token"}})
	if _, err := silent.Inspect(t.Context(), bare(testAPIKey)); err == nil || storetest.Leaks(fmt.Sprintf("%v %+v", err, err)) {
		t.Errorf("no response: %+v", err)
	}
}

// outcomeOf is one word for what came of an inspection, with the scopes where they are known.
func outcomeOf(c *credential.Credential, err error) string {
	rejected, isRejected := errors.AsType[*oauth.RejectedError](err)
	_, unanswered := errors.AsType[*oauth.UnansweredError](err)
	switch {
	case err == nil && c.KnownBy.Unlisted():
		return string(c.KnownBy)
	case err == nil:
		return "[" + c.Scopes.String() + "]"
	case isRejected && rejected.Expired:
		return "expired"
	case isRejected:
		return "unknown"
	case unanswered:
		return "unclear"
	}
	return err.Error()
}

func TestInspectionOutcomes(t *testing.T) {
	sign := func(status int, at string, is ...string) []provider.Sign {
		s := provider.Sign{Is: is}
		if status != 0 {
			s.Statuses = []int{status}
		}
		if at != "" {
			s.At, _ = provider.ParsePath(at)
		}
		return []provider.Sign{s}
	}
	way := provider.Inspection{
		URL: "{api}/me", Scopes: at("scopes"),
		Unknown: append(sign(400, "error", "invalid_token"), sign(0, "ok", "false")...),
		Expired: sign(0, "error", "token_expired", "Token is expired.{more}"),
		Denied:  sign(403, "error", "insufficient_scope"),
	}
	absent := way
	absent.AbsentUnknown = true
	names := way
	names.Scopes.Path, _ = provider.ParsePath("data[].scope")
	root := way
	root.Scopes.Path, _ = provider.ParsePath("[].scopes")
	header := provider.Inspection{URL: "{api}/me", Method: "HEAD", Scopes: provider.Place{Header: "X-Scopes"}, Denied: []provider.Sign{{Statuses: []int{403}, Headers: []provider.HeaderText{{Name: "X-Why", Text: "no {scope}"}}}}}
	permissions := func(k *provider.CredentialKind) { k.Permissions = true }
	for name, tt := range map[string]struct {
		way    provider.Inspection
		change func(*provider.CredentialKind)
		status int
		body   string
		header string
		want   string
	}{
		"a list":                            {way, nil, 200, `{"scopes":["a","b"]}`, "", "[a b]"},
		"a text, with commas":               {way, nil, 200, `{"scopes":"a,b"}`, "", "[a b]"},
		"none":                              {way, nil, 200, `{"scopes":[]}`, "", "[]"},
		"no place":                          {way, nil, 200, `{}`, "", "unclear"},
		"no place, which says nothing":      {absent, nil, 200, `{}`, "", "accepted"},
		"a place of another form":           {absent, nil, 200, `{"scopes":{"a":true}}`, "", "unclear"},
		"no place, and no JSON":             {absent, nil, 200, `oops`, "", "unclear"},
		"in several objects":                {names, nil, 200, `{"data":[{"scope":"a"},{"scope":"b"}]}`, "", "[a b]"},
		"in no object":                      {names, nil, 200, `{"data":[]}`, "", "[]"},
		"in objects of another form":        {names, nil, 200, `{"data":[{"name":"a"}]}`, "", "unclear"},
		"lists in several objects":          {names, nil, 200, `{"data":[{"scope":["a","b"]},{"scope":"c"}]}`, "", "[a b c]"},
		"401":                               {way, nil, 401, `{}`, "", "unknown"},
		"401 of another shape, expired":     {way, nil, 401, `{"error":"Token is expired. Renew it."}`, "", "expired"},
		"400 that is one":                   {way, nil, 400, `{"error":"invalid_token"}`, "", "unknown"},
		"400 that is none":                  {way, nil, 400, `{"error":"invalid_request"}`, "", "unclear"},
		"200 that is one":                   {way, nil, 200, `{"ok":false,"error":"invalid_auth"}`, "", "unknown"},
		"200 of one that has ended":         {way, nil, 200, `{"ok":false,"error":"token_expired"}`, "", "expired"},
		"200 that says ok":                  {way, nil, 200, `{"ok":true,"scopes":["a"]}`, "", "[a]"},
		"403 that may not":                  {way, nil, 403, `{"error":"insufficient_scope"}`, "", "accepted"},
		"403 for anything else":             {way, nil, 403, `{"error":"rate_limited"}`, "", "unclear"},
		"403 by a page in between":          {way, nil, 403, `<html>sign in</html>`, "", "unclear"},
		"500":                               {way, nil, 500, `{"error":"insufficient_scope"}`, "", "unclear"},
		"in a header":                       {header, nil, 200, "", "X-Scopes: a, b", "[a b]"},
		"in a header that is empty":         {header, nil, 200, "", "X-Scopes: ", "[]"},
		"in a header that is not there":     {header, nil, 200, "", "", "unclear"},
		"in a header, without a body":       {header, nil, 204, "", "X-Scopes: a", "[a]"},
		"a header that denies":              {header, nil, 403, "", "X-Why: no read:self", "accepted"},
		"a header that says something else": {header, nil, 403, "", "X-Why: blocked", "unclear"},
		"a document that is a list":         {root, nil, 200, `[{"scopes":["a"]},{"scopes":["b"]}]`, "", "[a b]"},
		"a list without elements":           {root, nil, 200, `[]`, "", "[]"},
		"no list":                           {root, nil, 200, `{"scopes":["a"]}`, "", "unclear"},
		"a list of half":                    {root, nil, 200, `[{"scopes":["a"]}`, "", "unclear"},
		"a list, and more":                  {root, nil, 200, `[{"scopes":["a"]}] {}`, "", "unclear"},
		"no place of scopes is named":       {provider.Inspection{URL: "{api}/me", Account: at("login")}, nil, 200, `{"login":"ada"}`, "", "accepted"},
		"nor is any place":                  {provider.Inspection{URL: "{api}/me"}, nil, 200, `ok`, "", "accepted"},
		"permissions":                       {provider.Inspection{URL: "{api}/me"}, permissions, 200, `{"login":"ada"}`, "", "permissions"},
		"permissions, not known":            {provider.Inspection{URL: "{api}/me"}, permissions, 401, `{}`, "", "unknown"},
		"permissions, may not look":         {provider.Inspection{URL: "{api}/me", Denied: sign(403, "")}, permissions, 403, `{}`, "", "permissions"},
	} {
		t.Run(name, func(t *testing.T) {
			inspector := asking(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if field, value, ok := strings.Cut(tt.header, ": "); ok {
					w.Header().Set(field, value)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}, tt.change, tt.way)
			got, err := inspector.Inspect(t.Context(), bare(testAPIKey))
			if outcome := outcomeOf(got, err); outcome != tt.want || err != nil && storetest.Leaks(err.Error()) {
				t.Errorf("%s, want %s (%v)", outcome, tt.want, err)
			}
		})
	}
}

// Of several ways, the one that tells most counts, and none is asked after one that tells.
func TestInspectionWays(t *testing.T) {
	first, second := provider.Inspection{URL: "{api}/first", Scopes: at("scopes")}, provider.Inspection{URL: "{api}/second", Scopes: at("scopes")}
	first.Denied = []provider.Sign{{Statuses: []int{403}}}
	second.Expired = []provider.Sign{{Statuses: []int{410}}}
	const known, not, unclear, denied, ended = "200", "401", "404", "403", "410"
	for answers, want := range map[[2]string]string{
		{known, known}: "[a] after 1", {not, known}: "[a] after 2", {unclear, known}: "[a] after 2", {denied, known}: "[a] after 2",
		{not, not}: "unknown after 2", {not, unclear}: "unclear after 2", {unclear, not}: "unclear after 2",
		{denied, not}: "accepted after 2", {denied, ended}: "accepted after 2", {not, ended}: "expired after 2", {unclear, ended}: "expired after 2",
	} {
		asked := 0
		inspector := asking(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			status := answers[0]
			if r.URL.Path == "/second" {
				status = answers[1]
			}
			code := 0
			_, _ = fmt.Sscan(status, &code)
			text(code, "application/json", `{"scopes":["a"]}`)(w, r)
		}, nil, first, second)
		got, err := inspector.Inspect(t.Context(), bare(testAPIKey))
		if outcome := fmt.Sprintf("%s after %d", outcomeOf(got, err), asked); outcome != want {
			t.Errorf("%v: %s, want %s", answers, outcome, want)
		}
	}
}

// What a login is known to hold stays known, where its server only says that it accepts it.
func TestInspectionThatNamesNoScopesKeepsThem(t *testing.T) {
	for name, c := range map[string]*credential.Credential{
		"a login":               {Access: credential.NewSecret(testAPIKey), Issuer: "https://id.example", Grant: scopes.Grant{KnownBy: scopes.TokenResponse, Scopes: scopes.NewSet("a:read")}},
		"a key of an old check": {Access: credential.NewSecret(testAPIKey), Grant: scopes.Grant{KnownBy: scopes.SelfInspection, Scopes: scopes.NewSet("a:read")}},
	} {
		way := provider.Inspection{URL: "{api}/me", Scopes: at("scopes"), AbsentUnknown: true}
		got, err := asking(t, text(200, "application/json", `{}`), nil, way).Inspect(t.Context(), c)
		if err != nil || got.KnownBy != c.KnownBy || got.Scopes.String() != "a:read" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestInspectionEndAndAccount(t *testing.T) {
	for body, want := range map[string]time.Time{
		`{"end":1900000000}`:                   time.Unix(1900000000, 0).UTC(),
		`{"end":"1900000000"}`:                 time.Unix(1900000000, 0).UTC(),
		`{"end":7200}`:                         inspectedAt.Add(2 * time.Hour), // how much is left
		`{"end":"2030-01-02T03:04:05+01:00"}`:  time.Date(2030, 1, 2, 2, 4, 5, 0, time.UTC),
		`{"end":"2030-01-02"}`:                 time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC),
		`{"end":"2030-01-02 03:04:05 UTC"}`:    time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
		`{"end":"2030-01-02 03:04:05 +0200"}`:  time.Date(2030, 1, 2, 1, 4, 5, 0, time.UTC),
		`{"end":"2030-01-02 03:04:05 CEST"}`:   {}, // nobody knows what that is
		`{"end":null}`:                         {},
		`{"end":"never"}`:                      {},
		`{"end":-5}`:                           {},
		`{"end":[1900000000],"other":1}`:       {},
		`{"user":{"names":[null,"  ","ada"]}}`: {},
	} {
		way := provider.Inspection{URL: "{api}/me", Scopes: at("scopes"), AbsentUnknown: true, Expires: at("end")}
		way.Account.Path, _ = provider.ParsePath("user.names[]")
		got, err := asking(t, text(200, "application/json", body), nil, way).Inspect(t.Context(), bare(testAPIKey))
		if err != nil || !got.ExpiresAt.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", body, got.ExpiresAt, err, want)
		}
		if named := strings.Contains(body, "ada"); named != (got.Account == "ada") {
			t.Errorf("%s: of %q", body, got.Account)
		}
	}
}

// One that has ended is not looked for elsewhere: its own server knows it.
func TestExpiredIsNotLookedForElsewhere(t *testing.T) {
	way := provider.Inspection{URL: "{api}/me", Scopes: at("scopes"), Expired: []provider.Sign{{Statuses: []int{410}}}}
	inspector := asking(t, text(410, "application/json", `{}`), nil, way)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked elsewhere: %s", r.URL) }))
	defer elsewhere.Close()
	inspector.Provider.Servers = append(inspector.Provider.Servers, testServer("there", elsewhere.URL))
	q := inspector.Inquire(t.Context(), bare(testAPIKey))
	if len(q) != 1 || q[0].Standing != credential.StandingExpired {
		t.Errorf("%+v", q)
	}
}

// A service that still answers for a credential whose end has passed says that it has ended; its own
// clock counts.
func TestInspectedAfterItsEnd(t *testing.T) {
	end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for about, tt := range map[string]struct {
		now, date time.Time
		expired   bool
	}{
		"before":                          {end.Add(-time.Hour), end.Add(-time.Hour), false},
		"after":                           {end.Add(time.Hour), end.Add(time.Hour), true},
		"a clock here that is ahead":      {end.Add(time.Hour), end.Add(-time.Hour), false},
		"a clock here that is behind":     {end.Add(-time.Hour), end.Add(time.Hour), true},
		"a server that has no clock":      {end.Add(time.Hour), time.Time{}, true},
		"at the moment of its end itself": {end, end, true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Date"] = nil
			if !tt.date.IsZero() {
				w.Header().Set("Date", tt.date.Format(http.TimeFormat))
			}
			fmt.Fprintf(w, `{"scopes":["a:read"],"expires_at":%d}`, end.Unix())
		}))
		p, err := provider.Decode("p.yaml", []byte("servers: {s: {issuer: "+server.URL+", api: "+server.URL+"}}\ncredentials: [{kind: key, inspect: {url: '{api}/', scopes: scopes, expires: expires_at}}]"))
		if err != nil {
			t.Fatal(err)
		}
		i := &oauth.Inspector{Provider: p, Server: p.Servers[0], HTTP: server.Client(), Now: func() time.Time { return tt.now }}
		_, err = i.Inspect(t.Context(), &credential.Credential{Access: credential.NewSecret(testAPIKey), Grant: scopes.Grant{Server: "s"}})
		rejected, is := errors.AsType[*oauth.RejectedError](err)
		if (is && rejected.Expired) != tt.expired || err != nil && !is {
			t.Errorf("%s: %v", about, err)
		}
		server.Close()
	}
}

// A response of success with an error in it is none: a credential is not taken for accepted.
func TestInspectionFailsWithSuccess(t *testing.T) {
	const silent, rejected = "did not say what the credential holds", "is not active"
	for name, tt := range map[string]struct{ body, want string }{
		"fine":                   {`{"email": "ada@example.com"}`, ""},
		"not ok":                 {`{"ok": false, "error": "invalid_auth"}`, silent},
		"GraphQL":                {`{"errors": [{"message": "Not authenticated"}], "data": null}`, silent},
		"what the file knows":    {`{"errors": [{"message": "no", "code": "AUTHENTICATION_ERROR"}], "data": null}`, rejected},
		"what it does not know":  {`{"errors": [{"message": "no", "code": "OTHER"}], "data": null}`, silent},
		"a remark in the header": {`{"email": "partial@example.com"}`, ""},
		"no error in the list":   {`{"email": "ada@example.com", "errors": []}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inspector := inspecting(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if strings.Contains(tt.body, "partial") {
					w.Header().Set("X-Left-Out", "partial-results")
				}
				_, _ = io.WriteString(w, tt.body)
			})
			p, err := provider.Decode("p.yaml", fmt.Appendf(nil, `
servers: {here: {issuer: %[1]q, api: %[1]q}}
credentials: [{prefix: key_, kind: key, label: a key, inspect: {url: "{api}/me", account: email}}]
errors:
  - {status: 200, at: "errors[].code", is: AUTHENTICATION_ERROR, means: rejected}
  - {status: 200, header: {X-Left-Out: partial-results}, means: not_a_scope_problem}
`, inspector.Server.Issuer))
			if err != nil {
				t.Fatal(err)
			}
			inspector.Provider, inspector.Server = p, p.Servers[0]
			_, err = inspector.Inspect(t.Context(), bare(testAPIKey))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
