package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const testAPIKey = "key_" + storetest.Marked

// testProvider knows keys that tell of themselves, tokens that are introspected, by
// themselves (acc_, jsn_) or by the client (cli_, cjs_), and keys that nobody can be asked about.
func testProvider(servers ...provider.Server) *provider.Provider {
	return &provider.Provider{
		Servers: servers,
		Credentials: []provider.CredentialKind{
			{Prefix: "key_", Kind: "personal_api_key", Label: "a personal API key", Inspect: []provider.Inspection{{
				URL: "{api}/me/", Scopes: at("scopes"), Reach: []provider.ReachMember{{Of: "project", Member: "teams"}, {Of: "organization", Member: "orgs"}}, Expires: at("expires_at"),
			}}},
			{Prefix: "acc_", Kind: scopes.AccessToken, Label: "an access token", Inspect: []provider.Inspection{{
				Introspection: true, Bearer: true, Reach: []provider.ReachMember{{Of: "project", Member: "teams"}},
			}}},
			{Prefix: "jsn_", Kind: scopes.AccessToken, Label: "an access token", Inspect: []provider.Inspection{{
				Introspection: true, JSON: true, Bearer: true, Scopes: at("granted"), Expires: at("ends"),
			}}},
			{Prefix: "cli_", Kind: scopes.AccessToken, Label: "an access token", Inspect: []provider.Inspection{{Introspection: true}}},
			{Prefix: "cjs_", Kind: scopes.AccessToken, Label: "an access token", Inspect: []provider.Inspection{{Introspection: true, JSON: true}}},
			{Prefix: "pub_", Kind: "project_key", Label: "a project key"},
		},
	}
}

// at is the place of a member of the body.
func at(member string) provider.Place { return provider.Place{Path: provider.Path{{Name: member}}} }

func testServer(name, base string) provider.Server {
	return provider.Server{Name: name, Issuer: base, Bases: []provider.Base{{Name: "api", URL: base}}, AskOn401: true}
}

// inspecting is an Inspector of a server that answers everything by handler.
func inspecting(t *testing.T, handler http.HandlerFunc) *oauth.Inspector {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	at := testServer("here", server.URL)
	return &oauth.Inspector{
		Provider: testProvider(at), Server: at,
		Metadata: func(_ context.Context, s provider.Server) (*metadata.AuthorizationServer, error) {
			return &metadata.AuthorizationServer{IntrospectionEndpoint: s.Issuer + "/introspect"}, nil
		},
		Wait: func(context.Context, time.Duration) error { return nil },
	}
}

// bare is a credential of which nothing is known.
func bare(secret string) *credential.Credential {
	return &credential.Credential{Access: credential.NewSecret(secret)}
}

func TestSelfInspection(t *testing.T) {
	var requests atomic.Int32
	inspector := inspecting(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Method != http.MethodGet || r.URL.String() != "/me/" || r.Header.Get("Authorization") != "Bearer "+testAPIKey {
			t.Errorf("asked: %s %s %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		text(200, "application/json; charset=utf-8", `{"id":1,"scopes":["a:read","*","a:read"],"teams":[2,12345678901234567890,"x"],"orgs":["o"],"expires_at":"2030-01-02T03:04:05+01:00"}`)(w, r)
	})
	got, err := inspector.Inspect(t.Context(), bare(testAPIKey))
	if err != nil {
		t.Fatal(err)
	}
	want := scopes.Grant{
		Kind: "personal_api_key", Prefix: "key_***", KnownBy: scopes.SelfInspection,
		ExpiresAt: time.Date(2030, 1, 2, 2, 4, 5, 0, time.UTC), Server: "here", Scopes: scopes.NewSet("a:read", "*"), Reach: []scopes.Reach{{Of: "project", IDs: []string{"2", "12345678901234567890", "x"}}, {Of: "organization", IDs: []string{"o"}}},
	}
	if diff := cmp.Diff(want, got.Grant); diff != "" {
		t.Error(diff)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
}

// What can be read is not told as left out.
func TestInspectTellsNothingOfWhatItReads(t *testing.T) {
	inspector := inspecting(t, text(200, "application/json", `{"active":true,"scope":"a:read","exp":1900000000}`))
	inspector.Note = func(sentence string) { t.Error(sentence) }
	if _, err := inspector.Inspect(t.Context(), bare("acc_"+storetest.Marked)); err != nil {
		t.Fatal(err)
	}
}

func TestInspectTellsWhatItLeavesOut(t *testing.T) {
	inspector := inspecting(t, text(200, "application/json", `{"scopes":["a:read"],"expires_at":{}}`))
	var told []string
	inspector.Note = func(sentence string) { told = append(told, sentence) }
	if _, err := inspector.Inspect(t.Context(), bare(testAPIKey)); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(inspector.Server.Issuer, "http://")
	if diff := cmp.Diff([]string{"in what " + host + " says of the credential expires_at is an object, not a number, and is left out"}, told); diff != "" {
		t.Error(diff)
	}
}

// What the server does not say stays as it was known, and the value that came in is not changed.
func TestInspectKeepsWhatTheServerDoesNotSay(t *testing.T) {
	end := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	before := &credential.Credential{
		Access: credential.NewSecret(testAPIKey), Refresh: credential.NewSecret("refresh"), ClientID: "client",
		Grant: scopes.Grant{Source: "the store", ExpiresAt: end, KnownBy: scopes.Assumed, Scopes: scopes.NewSet("a:read", "b:read"), Reach: []scopes.Reach{{Of: "project", IDs: []string{"1"}}}},
	}
	unchanged := *before
	got, err := inspecting(t, text(200, "application/json", `{"scopes":["a:read"]}`)).Inspect(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	want := &credential.Credential{
		Access: before.Access, Refresh: before.Refresh, ClientID: "client",
		Grant: scopes.Grant{
			Kind: "personal_api_key", Prefix: "key_***", Source: "the store", ExpiresAt: end,
			KnownBy: scopes.SelfInspection, Server: "here", Scopes: scopes.NewSet("a:read"),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&unchanged, before); diff != "" {
		t.Errorf("what was asked about has changed: %s", diff)
	}
}

func TestSelfInspectionShapes(t *testing.T) {
	for body, want := range map[string]string{
		`{"scopes":[]}`: "",
		`{"scopes":["a:read"],"teams":null,"orgs":[],"expires_at":null}`: "a:read",
		` {"scopes":["a:read"],"expires_at":1e400} `:                     "a:read",
		`{"scopes":["a:read",null]}`:                                     "a:read",
		`{"scopes":["a:read,b:write"]}`:                                  "a:read b:write",
		`{"scopes":"a:read b:write"}`:                                    "a:read b:write",
		`{"scopes":""}`:                                                  "",
	} {
		got, err := inspecting(t, text(200, "application/json", body)).Inspect(t.Context(), bare(testAPIKey))
		if err != nil || got.Scopes.String() != want || len(got.Reach) != 0 || !got.ExpiresAt.IsZero() {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func TestIntrospection(t *testing.T) {
	inspector := inspecting(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.Method != http.MethodPost || r.URL.String() != "/introspect" {
			t.Errorf("asked: %s %s", r.Method, r.URL)
		}
		if strings.HasPrefix(token, "jsn_") { // not RFC 7662 §2.1, but some servers
			var sent map[string]string
			if err := json.Unmarshal(body, &sent); err != nil || sent["token"] != token || len(sent) != 1 || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("sent %s as %s", body, r.Header.Get("Content-Type"))
			}
			text(200, "application/json", `{"active":true,"granted":["a:read"],"ends":1900000000}`)(w, r)
			return
		}
		form, err := url.ParseQuery(string(body))
		if err != nil || form.Get("token") != token || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("sent %s as %s", body, r.Header.Get("Content-Type"))
		}
		text(200, "application/json", `{"active":true,"scope":"a:read b:write","exp":1900000000,"teams":[5]}`)(w, r)
	})
	for token, want := range map[string]scopes.Grant{
		"acc_" + storetest.Marked: {Scopes: scopes.NewSet("a:read", "b:write"), Reach: []scopes.Reach{{Of: "project", IDs: []string{"5"}}}},
		"jsn_" + storetest.Marked: {Scopes: scopes.NewSet("a:read")},
	} {
		want.Server, want.Kind, want.KnownBy = "here", scopes.AccessToken, scopes.Introspection
		want.Prefix, want.ExpiresAt = token[:4]+"***", time.Unix(1900000000, 0).UTC()
		got, err := inspector.Inspect(t.Context(), bare(token))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Grant); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRejected(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		answer http.HandlerFunc
		status int
	}{
		"401":                 {testAPIKey, text(401, "application/json", `{"detail":"`+storetest.Marked+`"}`), 401},
		"401 without a body":  {testAPIKey, text(401, "", ""), 401},
		"active is false":     {"acc_" + storetest.Marked, text(200, "application/json", `{"active":false}`), 200},
		"401 to the question": {"acc_" + storetest.Marked, text(401, "application/json", `{}`), 401},
	} {
		_, err := inspecting(t, c.answer).Inspect(t.Context(), bare(c.key))
		rejected, ok := errors.AsType[*oauth.RejectedError](err)
		if !ok || rejected.Status != c.status || !strings.HasPrefix(rejected.Host, "127.0.0.1:") || storetest.Leaks(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a server in trouble sends, nothing follows for the credential.
func TestUnanswered(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		answer http.HandlerFunc
		status int
		says   string
	}{
		"500":                  {testAPIKey, text(500, "application/json", `{"scopes":[]}`), 500, "500"},
		"401 for a scope":      {testAPIKey, challenging(`Bearer error="insufficient_scope"`), 401, "401"},
		"401 for the client":   {testAPIKey, text(401, "application/json", `{"error":"invalid_client"}`), 401, "invalid_client"},
		"403":                  {testAPIKey, text(403, "application/json", `{}`), 403, "403"},
		"404":                  {testAPIKey, text(404, "application/json", `{"scopes":[]}`), 404, "404"},
		"204":                  {testAPIKey, text(204, "", ""), 204, "204"},
		"HTML":                 {testAPIKey, text(200, "text/html; charset=utf-8", "<html>sign in"), 200, "HTML"},
		"HTML as JSON's 401":   {testAPIKey, text(401, "text/html", "<html>proxy"), 401, "HTML"},
		"HTML without a type":  {testAPIKey, text(403, "", "\n<!doctype html>"), 403, "HTML"},
		"no JSON":              {testAPIKey, text(200, "application/json", storetest.Marked), 200, "not JSON"},
		"a list":               {testAPIKey, text(200, "application/json", `[{"scopes":[]}]`), 200, "not an object"},
		"null":                 {testAPIKey, text(200, "application/json", `null`), 200, "not an object"},
		"two objects":          {testAPIKey, text(200, "application/json", `{"scopes":[]}{}`), 200, "continues after the end"},
		"half of it":           {testAPIKey, text(200, "application/json", `{"scopes":["a:rea`), 200, "ends in the middle"},
		"no scopes":            {testAPIKey, text(200, "application/json", `{"id":1}`), 200, `"scopes"`},
		"scopes null":          {testAPIKey, text(200, "application/json", `{"scopes":null}`), 200, `"scopes"`},
		"scopes an object":     {testAPIKey, text(200, "application/json", `{"scopes":{"a":1}}`), 200, `"scopes"`},
		"scopes of objects":    {testAPIKey, text(200, "application/json", `{"scopes":[{"name":"a:read"}]}`), 200, `"scopes"`},
		"teams a word":         {testAPIKey, text(200, "application/json", `{"scopes":[],"teams":"all"}`), 200, `"teams"`},
		"no active":            {"acc_" + storetest.Marked, text(200, "application/json", `{"scope":"a:read"}`), 200, `"active"`},
		"active a word":        {"acc_" + storetest.Marked, text(200, "application/json", `{"active":"yes","scope":"a:read"}`), 200, `"active"`},
		"active without scope": {"acc_" + storetest.Marked, text(200, "application/json", `{"active":true}`), 200, `"scope"`},
		"2 MiB":                {testAPIKey, text(200, "application/json", `{"scopes":["`+strings.Repeat("a", 2<<20)+`"]}`), 0, "larger"},
		"a redirect":           {testAPIKey, http.RedirectHandler("/login", http.StatusFound).ServeHTTP, 0, "redirect"},
		"the connection ends":  {testAPIKey, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "closed"},
		"429 for long":         {testAPIKey, limitedFor("3600"), 429, "1h0m0s"},
		"429 for ever":         {testAPIKey, limitedFor("1"), 429, "1s"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := inspecting(t, c.answer).Inspect(t.Context(), bare(c.key))
			got, ok := errors.AsType[*oauth.UnansweredError](err)
			if !ok {
				t.Fatalf("err = %v", err)
			}
			if got.Status != c.status || !strings.HasPrefix(got.Host, "127.0.0.1:") || !strings.Contains(err.Error(), got.Host) {
				t.Errorf("status %d, host %q: %v", got.Status, got.Host, err)
			}
			if !strings.Contains(err.Error(), c.says) || storetest.Leaks(err.Error()) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
}

func limitedFor(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

func TestShortRateLimitIsWaitedOutOnce(t *testing.T) {
	var requests atomic.Int32
	inspector := inspecting(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			limitedFor("4")(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), storetest.Marked) {
			t.Errorf("the second request has the body %q", body)
		}
		text(200, "application/json", `{"active":true,"scope":"a:read"}`)(w, r)
	})
	var waited []time.Duration
	inspector.Wait = func(_ context.Context, d time.Duration) error {
		waited = append(waited, d)
		return nil
	}
	var told []string
	inspector.Note = func(sentence string) { told = append(told, sentence) }
	got, err := inspector.Inspect(t.Context(), bare("acc_"+storetest.Marked))
	if err != nil || got.Scopes.String() != "a:read" || len(told) != 1 || !strings.HasSuffix(told[0], " is busy, and asks to wait 4s") {
		t.Fatalf("%+v, %v, told %q", got, err, told)
	}
	if diff := cmp.Diff([]time.Duration{4 * time.Second}, waited); diff != "" {
		t.Error(diff)
	}
	inspector.Wait = func(ctx context.Context, _ time.Duration) error { return context.Canceled }
	requests.Store(0)
	if _, err := inspector.Inspect(t.Context(), bare("acc_"+storetest.Marked)); err == nil || requests.Load() != 1 {
		t.Errorf("a wait that was ended: %v after %d requests", err, requests.Load())
	}
}

func TestInspectIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	inspector := inspecting(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := inspector.Inspect(ctx, bare(testAPIKey)); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestNobodyCanBeAsked(t *testing.T) {
	inspector := inspecting(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked: %s", r.URL) })
	withoutBase := *inspector
	withoutBase.Server = provider.Server{Name: "bare", Issuer: inspector.Server.Issuer}
	withoutMetadata := *inspector
	withoutMetadata.Metadata = nil
	withoutEndpoint := *inspector
	withoutEndpoint.Metadata = func(context.Context, provider.Server) (*metadata.AuthorizationServer, error) {
		return &metadata.AuthorizationServer{}, nil
	}
	for name, c := range map[string]struct {
		inspector *oauth.Inspector
		key       string
	}{
		"a kind that tells nothing":   {inspector, "pub_" + storetest.Marked},
		"a kind that nobody knows":    {inspector, "zzz_" + storetest.Marked},
		"a server without the base":   {&withoutBase, testAPIKey},
		"no metadata":                 {&withoutMetadata, "acc_" + storetest.Marked},
		"no endpoint in the metadata": {&withoutEndpoint, "acc_" + storetest.Marked},
	} {
		_, err := c.inspector.Inspect(t.Context(), bare(c.key))
		none, ok := errors.AsType[*oauth.NoInspectionError](err)
		if !ok || none.Label == "" || storetest.Leaks(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A provider file, or a metadata document, that names a host of someone else.
func TestInspectAsksNoStranger(t *testing.T) {
	inspector := inspecting(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked: %s", r.URL) })
	inspector.Server.Bases = []provider.Base{{Name: "api", URL: "https://thief.example.com"}}
	inspector.Metadata = func(context.Context, provider.Server) (*metadata.AuthorizationServer, error) {
		return &metadata.AuthorizationServer{IntrospectionEndpoint: "https://thief.example.com/introspect"}, nil
	}
	for _, key := range []string{testAPIKey, "acc_" + storetest.Marked} {
		_, err := inspector.Inspect(t.Context(), bare(key))
		if untrusted, ok := errors.AsType[*trust.UntrustedHostError](err); !ok || untrusted.Hosts[0] != "thief.example.com" {
			t.Errorf("err = %v", err)
		}
		if _, ok := errors.AsType[*oauth.UnansweredError](err); ok {
			t.Errorf("a host that may not be asked did not answer: %v", err)
		}
	}
}

func TestInspectNamesTheCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(text(200, "application/json", `{"scopes":[]}`))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	at := testServer("here", server.URL)
	inspector := &oauth.Inspector{Provider: testProvider(at), Server: at}
	_, err := inspector.Inspect(t.Context(), bare(testAPIKey))
	if _, ok := errors.AsType[*oauth.UnansweredError](err); !ok || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("err = %v", err)
	}
	if trouble, ok := errors.AsType[*guard.Error](err); !ok || trouble.Kind != guard.KindTLS {
		t.Errorf("err = %v", err)
	}
}

// Each server that is asked has an outcome, and one that did not answer is no server
// that does not know the credential.
func TestInquire(t *testing.T) {
	knows := text(200, "application/json", `{"scopes":["a:read"]}`)
	rejects := text(401, "application/json", `{}`)
	ill := text(500, "", "")
	serve := func(name string, answer http.HandlerFunc) provider.Server {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		return testServer(name, server.URL)
	}
	private := serve("private", func(w http.ResponseWriter, r *http.Request) {
		t.Error("a server that may not be asked was")
		knows(w, r)
	})
	private.AskOn401 = false
	gone := testServer("gone", "http://127.0.0.1:1") // nothing listens there
	mute := provider.Server{Name: "mute", AskOn401: true}
	for name, c := range map[string]struct {
		here   provider.Server
		others []provider.Server
		want   []string
	}{
		"here knows it":     {serve("here", knows), []provider.Server{serve("a", knows)}, []string{"here known"}},
		"here is ill":       {serve("here", ill), []provider.Server{serve("a", knows)}, []string{"here no_answer"}},
		"no way to ask":     {provider.Server{Name: "here"}, []provider.Server{serve("a", knows)}, []string{"here not_asked"}},
		"one knows it":      {serve("here", rejects), []provider.Server{serve("a", rejects), serve("b", knows)}, []string{"here not_known", "a not_known", "b known"}},
		"nobody knows it":   {serve("here", rejects), []provider.Server{serve("a", rejects)}, []string{"here not_known", "a not_known"}},
		"two do not answer": {serve("here", rejects), []provider.Server{serve("a", ill), gone, mute}, []string{"here not_known", "a no_answer", "gone no_answer", "mute not_asked"}},
		"nobody to ask":     {serve("here", rejects), nil, []string{"here not_known"}},
		"the first of two":  {serve("here", rejects), []provider.Server{serve("a", knows), serve("b", knows)}, []string{"here not_known", "a known"}},
	} {
		inspector := &oauth.Inspector{Server: c.here, Provider: testProvider(append([]provider.Server{c.here, private}, c.others...)...)}
		var got []string
		for _, o := range inspector.Inquire(t.Context(), bare(testAPIKey)) {
			got = append(got, o.Server+" "+string(o.Standing))
			known := o.Standing == credential.StandingKnown
			if known != (o.Err == nil) || known != (o.Grant.Scopes.String() == "a:read" && o.Grant.Server == o.Server) {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestInquiryIsBounded(t *testing.T) {
	never := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-never:
		case <-r.Context().Done():
		}
	}))
	defer silent.Close()
	defer close(never)
	refusing := httptest.NewServer(text(401, "application/json", `{}`))
	defer refusing.Close()
	here := testServer("here", refusing.URL)
	var others []provider.Server
	for i := range 5 {
		others = append(others, testServer(fmt.Sprint(i), silent.URL))
	}
	inspector := &oauth.Inspector{Server: here, Provider: testProvider(append(others, here)...)}
	begun := time.Now()
	q := inspector.Inquire(t.Context(), bare(testAPIKey))
	if silent := q.Of(credential.StandingNoAnswer); len(silent) != 5 || !strings.Contains(silent[0].Err.Error(), "within 3s") {
		t.Errorf("%+v", q)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
