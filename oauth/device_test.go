package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const (
	pending   = `{"error":"authorization_pending"}`
	slowDown  = `{"error":"slow_down"}`
	granted   = `{"access_token":"t1","token_type":"Bearer","expires_in":3600,"refresh_token":"r1","scope":"a:read"}`
	givenCode = `{"device_code":"d1","user_code":"WDJB-MJHT","verification_uri":"https://login.example/device","verification_uri_complete":"https://login.example/device?user_code=WDJB-MJHT","expires_in":600}`
)

// A deviceServer answers from two lists, by a clock that stands still while nobody waits. Of the last
// answer there is no end. "reset" is a connection that broke; a number before a body is its status.
type deviceServer struct {
	codes, tokens []string
	header        http.Header
	onToken       func(request *http.Request)

	began time.Time
	shown []oauth.DeviceCode
	polls []int // the seconds at which the token was asked for
	forms []url.Values
	auth  []string
}

func (s *deviceServer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	s.forms, s.auth = append(s.forms, form), append(s.auth, r.Header.Get("Authorization"))
	list := &s.codes
	if r.URL.Path == "/token" {
		list = &s.tokens
		s.polls = append(s.polls, int(time.Since(s.began).Seconds()))
		if s.onToken != nil {
			s.onToken(r)
		}
	}
	answer := (*list)[0]
	if len(*list) > 1 {
		*list = (*list)[1:]
	}
	if answer == "reset" {
		return nil, errors.New("connection reset by peer")
	}
	status := http.StatusOK
	if number, rest, ok := strings.Cut(answer, " "); ok && len(number) == 3 {
		answer, status = rest, map[string]int{"200": 200, "400": 400, "401": 401, "404": 404, "429": 429, "500": 500, "503": 503}[number]
	} else if strings.HasPrefix(answer, `{"error"`) {
		status = http.StatusBadRequest
	}
	header := http.Header{"Content-Type": {"text/plain"}} // as some servers have it
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		header = s.header.Clone()
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(answer)), Request: r, ContentLength: -1}, nil
}

// login is one at the server.
func (s *deviceServer) login() *oauth.Login {
	s.began = time.Now()
	if s.codes == nil {
		s.codes = []string{givenCode}
	}
	return &oauth.Login{
		HTTP: &http.Client{Transport: s}, Client: client.Public("known"), Scopes: scopes.NewSet("a:read"),
		Server: &metadata.AuthorizationServer{
			Issuer: "https://login.example", TokenEndpoint: "https://login.example/token", DeviceAuthorizationEndpoint: "https://login.example/code",
		},
		UI: oauth.UI{
			Code: func(ctx context.Context, code oauth.DeviceCode) {
				s.shown = append(s.shown, code)
				<-ctx.Done()
			},
		},
	}
}

// Each request for the token may be the one that spends the code: none is sent once there is no place for
// what would come.
func TestDevicePlaceLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &deviceServer{tokens: []string{`{"error":"authorization_pending"}`}}
		l := s.login()
		asked := 0
		l.Ready = func(context.Context) error {
			if asked++; asked > 3 { // for the code, and twice for the token
				return errors.New("the disk is full")
			}
			return nil
		}
		if _, err := l.RunDevice(t.Context()); err == nil || err.Error() != "the disk is full" {
			t.Errorf("it ended with %v", err)
		}
		if len(s.polls) != 2 {
			t.Errorf("the token was asked for after %v seconds", s.polls)
		}
	})
}

// The token is asked for as RFC 8628 §3.5 wants it, whatever comes.
func TestDevicePolling(t *testing.T) {
	for name, tt := range map[string]struct {
		code   string
		tokens []string
		after  string // Retry-After of a 429 or 503
		polls  []int
		err    error  // by errors.Is
		says   string // in the error
	}{
		"agreed":                  {tokens: []string{pending, pending, granted}, polls: []int{5, 10, 15}},
		"interval":                {code: `{"device_code":"d","user_code":"u","verification_uri":"https://login.example/","expires_in":600,"interval":"2"}`, tokens: []string{pending, granted}, polls: []int{2, 4}},
		"hurried":                 {code: `{"device_code":"d","user_code":"u","verification_url":"https://login.example/","expires_in":600,"interval":0.01}`, tokens: []string{pending, granted}, polls: []int{1, 2}},
		"backwards":               {code: `{"device_code":"d","user_code":"u","verification_uri":"https://login.example/","interval":-7}`, tokens: []string{granted}, polls: []int{5}},
		"slow down, for good":     {tokens: []string{slowDown, pending, slowDown, granted}, polls: []int{5, 15, 25, 40}},
		"an error with status ok": {tokens: []string{"200 " + pending, granted}, polls: []int{5, 10}},
		"a mark, and a form":      {tokens: []string{"400 \ufeff" + pending, "400 error=authorization_pending&x=1", "200 access_token=t1&scope=a%3Aread"}, polls: []int{5, 10, 15}},
		"trouble, ever later":     {tokens: []string{"reset", "500 ", "reset", "reset", "reset", pending, granted}, polls: []int{5, 15, 35, 75, 135, 195, 200}},
		"busy":                    {tokens: []string{"429 {}", pending, granted}, after: "40", polls: []int{5, 45, 55}},
		"unavailable":             {tokens: []string{"503 {}", pending, granted}, after: "40", polls: []int{5, 45, 50}},
		"denied":                  {tokens: []string{pending, `{"error":"access_denied"}`}, polls: []int{5, 10}, says: "access_denied"},
		"declined":                {tokens: []string{`{"error":"authorization_declined"}`}, polls: []int{5}, says: "access_denied"},
		"expired, it says":        {tokens: []string{`{"error":"expired_token"}`}, polls: []int{5}, err: oauth.ErrCodeExpired},
		"expired":                 {code: strings.Replace(givenCode, "600", "12", 1), tokens: []string{pending}, polls: []int{5, 10}, err: oauth.ErrCodeExpired},
		"no client":               {tokens: []string{`401 {"error":"invalid_client"}`}, polls: []int{5}, says: "invalid_client"},
		"a page":                  {tokens: []string{"404 <html>"}, polls: []int{5}, says: "404"},
		"no token of ours":        {tokens: []string{`{"access_token":"t","token_type":"DPoP"}`}, polls: []int{5}, says: "not Bearer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &deviceServer{tokens: tt.tokens, header: http.Header{"Retry-After": {tt.after}}}
				if tt.code != "" {
					s.codes = []string{tt.code}
				}
				c, err := s.login().RunDevice(t.Context())
				switch {
				case tt.err != nil && (!errors.Is(err, tt.err) || !errors.Is(err, oauth.ErrLoginTimeout)),
					tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)),
					tt.err == nil && tt.says == "" && err != nil:
					t.Fatalf("%v", err)
				case err == nil && (c.Access.Reveal() != "t1" || c.ClientID != "known" || !c.Scopes.Has("a:read")):
					t.Errorf("the credential is not that of the response: %+v", c)
				}
				if refused, ok := errors.AsType[*oauth.AuthorizationError](err); ok != (tt.says == "access_denied") || ok && !refused.Denied() {
					t.Errorf("denied: %v", err)
				}
				if refused, ok := errors.AsType[*oauth.ResponseError](err); ok && refused.Code != "" && !refused.Device {
					t.Errorf("it does not say that it is about another device: %v", err)
				}
				if diff := cmp.Diff(tt.polls, s.polls); diff != "" {
					t.Errorf("asked at (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Who the client is, for whom and for what stands in the requests as in those of a browser's login.
func TestDeviceRequests(t *testing.T) {
	for method, authorization := range map[provider.AuthMethod]string{
		provider.AuthNone: "", provider.AuthPost: "", provider.AuthBasic: "Basic aWQ6cyUyRnM=",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &deviceServer{tokens: []string{granted}}
			l := s.login()
			l.Client = client.Client{ID: "id", Method: method}
			if method != provider.AuthNone {
				l.Client.Secret = credential.NewSecret("s/s")
			}
			l.Resources, l.Scopes = []string{"https://a.example", "https://b.example"}, scopes.NewSet("a:read", credential.OfflineAccess)
			l.Authorize = []provider.Parameter{{Name: "audience", Value: "x"}}
			c, err := l.RunDevice(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := []url.Values{
				{"scope": {"a:read offline_access"}, "audience": {"x"}, "prompt": {"consent"}, "resource": l.Resources},
				{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"d1"}, "resource": l.Resources},
			}
			for i, form := range want {
				if method != provider.AuthBasic {
					form.Set("client_id", "id")
				}
				if method == provider.AuthPost {
					form.Set("client_secret", "s/s")
				}
				if s.auth[i] != authorization {
					t.Errorf("%s: request %d is authorized by %q", method, i, s.auth[i])
				}
			}
			if diff := cmp.Diff(want, s.forms); diff != "" {
				t.Errorf("%s (-want +got):\n%s", method, diff)
			}
			if !slices.Equal(c.Resources, l.Resources) {
				t.Errorf("the credential is for %q", c.Resources)
			}
		})
	}
}

// An ID token is checked, but for the nonce, which no device sends.
func TestDeviceIDToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &deviceServer{tokens: []string{strings.Replace(granted, "{", `{"id_token":"none",`, 1)}}
		l := s.login()
		l.Scopes = scopes.NewSet("openid")
		if _, err := l.RunDevice(t.Context()); err == nil || !strings.Contains(err.Error(), "ID token") {
			t.Error(err)
		}
	})
}

// What a person is shown is a code and links that cannot harm; anything else ends the login.
func TestDeviceCodes(t *testing.T) {
	for name, tt := range map[string]struct{ code, shown, complete string }{
		"usual":              {givenCode, "WDJB-MJHT", "https://login.example/device?user_code=WDJB-MJHT"},
		"escapes":            {`{"device_code":"d","user_code":"\u001b[2JAB\u0007-CD","verification_uri":"https://login.example/"}`, `\x1b[2JAB\a-CD`, ""},
		"complete elsewhere": {strings.Replace(givenCode, "https://login.example/device?", "https://evil.example/?", 1), "WDJB-MJHT", ""},
		"complete, no link":  {strings.Replace(givenCode, "https://login.example/device?", "javascript:", 1), "WDJB-MJHT", ""},
		"no code":            {`{"device_code":"d","verification_uri":"https://login.example/"}`, "", ""},
		"no secret":          {`{"user_code":"u","verification_uri":"https://login.example/"}`, "", ""},
		"a long code":        {`{"device_code":"d","user_code":"` + strings.Repeat("A", 65) + `","verification_uri":"https://login.example/"}`, "", ""},
		"a long link":        {`{"device_code":"d","user_code":"u","verification_uri":"https://login.example/` + strings.Repeat("A", 2048) + `"}`, "", ""},
		"plain http":         {`{"device_code":"d","user_code":"u","verification_uri":"http://login.example/"}`, "", ""},
		"a script":           {`{"device_code":"d","user_code":"u","verification_uri":"javascript:alert(1)"}`, "", ""},
		"a line more":        {`{"device_code":"d","user_code":"u","verification_uri":"https://login.example/\nrm"}`, "", ""},
		"a page":             {`<html>`, "", ""},
		"refused":            {`{"error":"unauthorized_client"}`, "", ""},
		"refused, status ok": {`200 {"error":"device_flow_disabled"}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &deviceServer{codes: []string{tt.code}, tokens: []string{granted}}
				_, err := s.login().RunDevice(t.Context())
				shown := append(s.shown, oauth.DeviceCode{})[0]
				if (err == nil) != (tt.shown != "") || shown.UserCode != tt.shown || shown.Complete != tt.complete {
					t.Errorf("%v; shown %+v", err, shown)
				}
				if err != nil && len(s.polls) > 0 {
					t.Error("the token was asked for")
				}
			})
		})
	}
}

// Whoever goes away while the server is about to give the token gets it still: the code is spent.
func TestDeviceInterrupted(t *testing.T) {
	for name, tt := range map[string]struct {
		token string
		kept  bool
	}{"a token came": {granted, true}, "pending": {pending, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				s := &deviceServer{tokens: []string{tt.token}}
				s.onToken = func(r *http.Request) {
					cancel(signals.Ended{})
					synctest.Wait()
					if r.Context().Err() != nil {
						t.Error("the request was given up")
					}
				}
				c, err := s.login().RunDevice(ctx)
				if _, ended := errors.AsType[signals.Ended](err); (c != nil) != tt.kept || ended == tt.kept {
					t.Errorf("%v, %v", c, err)
				}
				if len(s.polls) != 1 {
					t.Errorf("asked %d times", len(s.polls))
				}
			})
		})
	}
}

// A login begins anew with fewer scopes, without a word of the resource, or as another client, where
// the server refuses one of them; and never where the result could not be kept, or the page is one
// that the person does not trust.
func TestDeviceBegins(t *testing.T) {
	for name, tt := range map[string]struct {
		codes, tokens []string
		change        func(*oauth.Login)
		scope, id     string // of the last code
		codesAsked    int
		err           string
	}{
		"fewer scopes": {
			codes: []string{`{"error":"invalid_scope","error_description":"no b:read"}`, givenCode}, scope: "a:read", id: "known", codesAsked: 2,
		},
		"fewer scopes, said late": {
			tokens: []string{`{"error":"invalid_scope"}`, granted}, scope: "a:read", id: "known", codesAsked: 2,
		},
		"another target": {
			codes: []string{`{"error":"invalid_target"}`, givenCode}, scope: "a:read b:read", id: "known", codesAsked: 2,
			change: func(l *oauth.Login) { l.Resources = []string{"https://a.example"} },
		},
		"another client": {
			codes: []string{`401 {"error":"invalid_client"}`, givenCode}, scope: "a:read b:read", id: "second", codesAsked: 2,
			change: func(l *oauth.Login) {
				l.Client = client.Client{}
				l.Register = func(_ context.Context, redirectURI string, unknown client.Client) (client.Client, error) {
					if redirectURI != "" {
						return client.Client{}, errors.New("a redirect URI")
					}
					if unknown.ID == "" {
						return client.Public("first"), nil
					}
					return client.Public("second"), nil
				}
			},
		},
		"no place": {err: "full", change: func(l *oauth.Login) { l.Ready = func(context.Context) error { return errors.New("full") } }},
		"a page elsewhere": {err: "not at login.example", codesAsked: 1, scope: "a:read b:read", id: "known", change: func(l *oauth.Login) {
			l.ConsentAt = func(_ context.Context, host string) error { return errors.New("not at " + host) }
		}},
		"no such login": {err: "offers no login", change: func(l *oauth.Login) { l.Server.DeviceAuthorizationEndpoint = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.tokens == nil {
					tt.tokens = []string{granted}
				}
				s := &deviceServer{codes: tt.codes, tokens: tt.tokens}
				l := s.login()
				l.Scopes = scopes.NewSet("a:read", "b:read")
				l.UI.Narrow = func(*oauth.AuthorizationError) (scopes.Set, bool) { return scopes.NewSet("a:read"), true }
				if tt.change != nil {
					tt.change(l)
				}
				_, err := l.RunDevice(t.Context())
				if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
					t.Fatal(err)
				}
				if tt.err != "" && len(s.shown) > 0 {
					t.Errorf("shown: %v", s.shown)
				}
				forms := slices.DeleteFunc(s.forms, func(f url.Values) bool { return f.Has("grant_type") })
				if len(forms) != tt.codesAsked {
					t.Fatalf("%d codes were asked for", len(forms))
				}
				if tt.codesAsked > 0 {
					last := forms[len(forms)-1]
					if last.Get("scope") != tt.scope || last.Get("client_id") != tt.id || last.Has("resource") {
						t.Errorf("asked %v", last)
					}
				}
			})
		})
	}
}
