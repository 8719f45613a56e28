package replay_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit/replay"
)

const exchanges = `# A login.
> GET https://acme.example/authorize
> ?state={state}
> ?code_challenge={challenge}
> ?redirect_uri=http://127.0.0.1:{port}/cb
< 302
< Location: http://127.0.0.1:{port}/cb?state={state}

> POST https://acme.example/token
>
> code=made-up
> code_verifier={verifier}
< 200
<
< {"access_token": "made-up", "exp": {now+60}}
>* GET https://api.acme.example/me/{id}
> Authorization: Bearer made-up
< 200
<
< {"id": "{id}"}
>1 POST https://api.acme.example/search
>
> {"query": "{*}", "limit": 10, "tags": ["a"]}
< 403
< X-Needs: a, b
`

// The verifier of RFC 7636, appendix B, and its challenge.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// A caller sends requests through the proxy of a service.
type caller struct {
	*replay.Service
	client *http.Client
	t      *testing.T
}

func start(t *testing.T, text string) caller {
	t.Helper()
	list, err := replay.Parse("acme.http", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := replay.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Expect(list); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(replay.CA())
	proxy, err := url.Parse(s.Proxy())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return caller{s, &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, t}
}

// send sends "METHOD URL", header fields on lines of their own, and behind an empty line a body.
func (c caller) send(text string) (*http.Response, string) {
	c.t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	method, address, _ := strings.Cut(lines[0], " ")
	request, err := http.NewRequestWithContext(c.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	response, err := c.client.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, string(read)
}

const (
	authorize = "GET https://acme.example/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A99%2Fcb&state=s%2F1&code_challenge=" + challenge
	form      = "\nContent-Type: application/x-www-form-urlencoded\n\n"
	token     = "POST https://acme.example/token" + form + "code=made-up&code_verifier=" + verifier
	me        = "GET https://api.acme.example/me/7\nAuthorization: Bearer made-up"
	search    = "POST https://api.acme.example/search\nContent-Type: application/json\n\n" + `{"limit": 10, "query": "any", "tags": ["a"]}`
)

func TestServiceServesWhatIsExpected(t *testing.T) {
	c := start(t, exchanges)
	c.send(search) // whenever
	if r, _ := c.send(authorize); r.StatusCode != 302 || r.Header.Get("Location") != "http://127.0.0.1:99/cb?state=s/1" {
		t.Errorf("%d %s", r.StatusCode, r.Header)
	}
	if r, body := c.send(token); r.Header.Get("Content-Type") != "application/json" || !strings.Contains(body, `"exp": 1`) && !strings.Contains(body, `"exp": 2`) {
		t.Errorf("%s %s", r.Header, body)
	}
	c.send(me)
	if _, body := c.send(me); body != `{"id": "7"}` {
		t.Error(body)
	}
	if err := c.Done(); err != nil {
		t.Error(err)
	}
	if c.Played() != 5 {
		t.Errorf("%d requests", c.Played())
	}
}

// Whatever is other than a scenario says is told, with what was expected.
func TestServiceIsStrict(t *testing.T) {
	for name, c := range map[string]struct {
		requests []string
		want     string
	}{
		"nothing came":             {nil, "acme.http:2: GET https://acme.example/authorize was expected, and did not come\nacme.http:9: POST https://acme.example/token was expected, and did not come\nacme.http:21: POST https://api.acme.example/search was expected"},
		"too early":                {[]string{token}, "POST https://acme.example/token is not expected yet (acme.http:9); acme.http:2: GET https://acme.example/authorize is"},
		"twice":                    {[]string{authorize, authorize}, "GET https://acme.example/authorize is not expected again (acme.http:2); acme.http:9: POST"},
		"once, whenever, twice":    {[]string{search, search}, "POST https://api.acme.example/search is not expected again (acme.http:21)"},
		"another place":            {[]string{"GET https://acme.example/other"}, "GET https://acme.example/other is not expected; acme.http:2: GET https://acme.example/authorize is"},
		"another host":             {[]string{strings.Replace(authorize, "//acme.example", "//acme.test", 1)}, "GET https://acme.test/authorize is not expected"},
		"no TLS":                   {[]string{strings.Replace(authorize, "https:", "http:", 1)}, "GET http://acme.example/authorize is not expected"},
		"another method":           {[]string{strings.Replace(authorize, "GET", "PUT", 1)}, "PUT https://acme.example/authorize is not expected"},
		"a parameter more":         {[]string{authorize + "&prompt=none"}, "acme.http:2: GET https://acme.example/authorize differs from the request that is expected:\n  the query has prompt=none, which is not expected"},
		"a parameter twice":        {[]string{authorize + "&state=2"}, "the query has state=2, which is not expected"},
		"a parameter less":         {[]string{strings.Replace(authorize, "state=", "stat=", 1)}, "the query has no state={state}"},
		"another value":            {[]string{strings.Replace(authorize, "127.0.0.1", "localhost", 1)}, `the query's redirect_uri is "http://localhost:99/cb", not "http://127.0.0.1:{port}/cb"`},
		"another verifier":         {[]string{authorize, token + "x"}, "acme.http:9: the code_verifier does not belong to a code_challenge that came"},
		"a credential":             {[]string{authorize + "\nAuthorization: Bearer made-up"}, "there is a header field Authorization: Bearer made-up, which is not expected"},
		"a header field":           {[]string{authorize + "\nX-Api-Key: made-up"}, "there is a header field X-Api-Key: made-up, which is not expected"},
		"a body":                   {[]string{me + "\n\nx"}, `there is a body, which is not expected: "x"`},
		"no credential":            {[]string{strings.Replace(me, "\nAuthorization: Bearer made-up", "", 1)}, "there is no header field Authorization: Bearer made-up"},
		"another credential":       {[]string{me + "2"}, `the header field Authorization is "Bearer made-up2", not "Bearer made-up"`},
		"a word with another text": {[]string{me, strings.Replace(me, "/7", "/8", 1)}, "GET https://api.acme.example/me/8 is not expected"},
		"no form":                  {[]string{authorize, strings.Replace(token, "x-www-form-urlencoded", "json", 1)}, `the body is sent as "application/json", not as "application/x-www-form-urlencoded"`},
		"a JSON member more":       {[]string{strings.Replace(search, "10,", `10, "all": true,`, 1)}, "the body has all: true, which is not expected"},
		"a JSON member less":       {[]string{strings.Replace(search, `"limit": 10,`, "", 1)}, "the body has no limit"},
		"another JSON value":       {[]string{strings.Replace(search, "10", "11", 1)}, "the body's limit is 11, not 10"},
		"another JSON list":        {[]string{strings.Replace(search, `["a"]`, `["a","b"]`, 1)}, `the body's tags is ["a","b"], not ["a"]`},
		"no JSON":                  {[]string{strings.Replace(search, "{", "", 1)}, "the body is no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, exchanges)
			for _, request := range c.requests {
				s.send(request)
			}
			if err := s.Done(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nand not\n%s", err, c.want)
			}
		})
	}
}

// What comes of a play is settled before the next one begins.
func TestServiceExpectsInTurns(t *testing.T) {
	s := start(t, exchanges)
	if err := s.Expect(nil); err == nil || !strings.Contains(err.Error(), "did not come") {
		t.Error(err)
	}
}

// A response that nothing can fill in is a fault of the scenario, and so is a file that cannot be read.
func TestServiceWantsWholeFiles(t *testing.T) {
	s := start(t, "> GET https://acme.example/a\n< 200\n<\n< {code}\n")
	s.send("GET https://acme.example/a")
	if err := s.Trouble(); err == nil || !strings.Contains(err.Error(), "acme.http:1: {code}: no request had such a word") {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"> GET https://acme.example/a?b=c\n":                 "acme.http:1: ",
		"> GET /a\n":                                         "METHOD URL",
		"> GET https://acme.example/a\n":                     "has no response",
		"> GET https://acme.example/a\n\n< 200\n":            "has no response",
		"> GET https://acme.example/a\n> no colon\n< 200\n":  "neither ?name=value nor Name: value",
		"> GET https://acme.example/a\n>\n> {\"a\"\n< 200\n": "no JSON",
		"> GET https://acme.example/a\n>\n> a\n< 200\n":      "name=value",
		"> GET https://acme.example/a\n< OK\n":               "its status",
		"> GET https://acme.example/a\n< 200\n< body\n":      "behind an empty <",
		"> GET https://acme.example/a\n< 200\n# a comment\n": "between exchanges",
		"GET https://acme.example/a\n":                       "begins with >",
		"> GET https://acme.example/a\n> ?b\n< 200\n":        "?name=value",
		"< 200\n": "begins with >",
		"> GET https://acme.example/a\n>\n> a=b\n>> GET x\n< 2": "",
	} {
		if _, err := replay.Parse("acme.http", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, and not %q", text, err, want)
		}
	}
}
