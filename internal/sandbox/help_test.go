package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func start(t *testing.T, o Options) *Sandbox {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// An answer is what a client sees.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.Body), &members); err != nil {
		t.Fatalf("status %d, not JSON: %v in %q", a.Status, err, a.Body)
	}
	return members
}

// send makes a request with a bearer credential ("" sends none); the body is a form
// where it is url.Values, and JSON where it is anything else but nil.
func send(t *testing.T, method, address, credential string, body any) answer {
	t.Helper()
	var text io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case url.Values:
		text, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		j, _ := json.Marshal(b)
		text = strings.NewReader(string(j))
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, text)
	if err != nil {
		t.Fatal(err)
	}
	if text != nil {
		req.Header.Set("Content-Type", kind)
	}
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	return do(t, http.DefaultClient, req)
}

func do(t *testing.T, c *http.Client, req *http.Request) answer {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// A login is a client at the authorization server, with a browser of its own.
type login struct {
	t        *testing.T
	issuer   string
	clientID string
	redirect string
	verifier string
	origin   string // sent with each post; "" sends none
	browser  *http.Client
}

func newLogin(t *testing.T, s *Sandbox) *login {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	r := s.Ready()
	var provider struct {
		Client struct {
			ID       map[string]string
			Redirect struct {
				Host, Path string
				Ports      []int
			}
		}
	}
	text, err := os.ReadFile(r.Provider)
	if err == nil {
		err = yaml.Unmarshal(text, &provider)
	}
	if err != nil {
		t.Fatal(err)
	}
	at := provider.Client.Redirect
	return &login{
		t: t, issuer: r.Issuer, clientID: provider.Client.ID["cloud"], verifier: strings.Repeat("v", 43),
		redirect: "http://" + at.Host + ":" + decimal(at.Ports[0]) + at.Path,
		browser: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
}

// request is the authorization request for these scopes; more overrides parameters.
func (l *login) request(scopes string, more url.Values) string {
	sum := sha256.Sum256([]byte(l.verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {l.clientID}, "redirect_uri": {l.redirect}, "scope": {scopes}, "state": {"st"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for name, values := range more {
		q[name] = values
	}
	return l.issuer + "/oauth/authorize/?" + q.Encode()
}

func (l *login) get(address string) answer {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), "GET", address, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return do(l.t, l.browser, req)
}

func (l *login) post(address string, form url.Values) answer {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), "POST", address, strings.NewReader(form.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if l.origin != "" {
		req.Header.Set("Origin", l.origin)
	}
	return do(l.t, l.browser, req)
}

// callback reads the parameters with which the browser was sent back.
func (l *login) callback(a answer) url.Values {
	l.t.Helper()
	location := a.Header.Get("Location")
	if !strings.HasPrefix(location, l.redirect+"?") {
		l.t.Fatalf("status %d, redirect %q, body %q: not sent back to %s", a.Status, location, a.Body, l.redirect)
	}
	u, err := url.Parse(location)
	if err != nil {
		l.t.Fatal(err)
	}
	return u.Query()
}

// exchange redeems a code.
func (l *login) exchange(code string) answer {
	l.t.Helper()
	return send(l.t, "POST", l.issuer+"/oauth/token/", "", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {l.redirect},
		"client_id": {l.clientID}, "code_verifier": {l.verifier},
	})
}

func (l *login) refresh(token string, more url.Values) answer {
	l.t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {l.clientID}}
	for name, values := range more {
		form[name] = values
	}
	return send(l.t, "POST", l.issuer+"/oauth/token/", "", form)
}

// tokens logs in where consent needs no click.
func (l *login) tokens(scopes string) map[string]any {
	l.t.Helper()
	code := l.callback(l.get(l.request(scopes, nil))).Get("code")
	a := l.exchange(code)
	if a.Status != http.StatusOK {
		l.t.Fatalf("token endpoint: %d %s", a.Status, a.Body)
	}
	return a.json(l.t)
}

// A form is what a consent page holds.
type form struct {
	action string
	values url.Values
	scopes []string // every one that is shown
}

func readForm(t *testing.T, a answer) form {
	t.Helper()
	action := regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(a.Body)
	hidden := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(a.Body)
	if action == nil || hidden == nil {
		t.Fatalf("status %d: no consent form in %s", a.Status, a.Body)
	}
	f := form{action: action[1], values: url.Values{"form": {hidden[1]}}}
	for _, box := range regexp.MustCompile(`name="scope" value="([^"]+)" checked( disabled)?`).FindAllStringSubmatch(a.Body, -1) {
		f.scopes = append(f.scopes, box[1])
		if box[2] == "" { // a browser sends no disabled box
			f.values.Add("scope", box[1])
		}
	}
	return f
}
