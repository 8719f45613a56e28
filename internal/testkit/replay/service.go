package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A Service stands for every host of a service, behind a proxy of its own. It is strict: a request
// that no exchange expects at that time is told, with what differs from the one that was expected.
// Safe for concurrent use.
type Service struct {
	// File reads a file of claims that a response names.
	File func(name string) ([]byte, error)

	proxy *proxy

	mu         sync.Mutex
	expected   []*expected
	words      words
	challenges map[string]bool // of RFC 7636 §4.2 that came, and with which the verifiers are compared
	secrets    map[string]bool // credentials that went either way
	trouble    []string
	played     int
}

type expected struct {
	Exchange
	times int // that it was served
}

// Start begins a service that expects nothing yet. Close it.
func Start() (*Service, error) {
	s := &Service{words: make(words), challenges: make(map[string]bool), secrets: make(map[string]bool)}
	var err error
	s.proxy, err = startProxy(s)
	return s, err
}

// Close ends it.
func (s *Service) Close() { s.proxy.close() }

// Proxy is the URL for HTTPS_PROXY and HTTP_PROXY.
func (s *Service) Proxy() string { return s.proxy.url() }

// Expect says which requests come from here on. The error tells what did not come of those that were
// expected before, or what came besides them.
func (s *Service) Expect(list []Exchange) error {
	if err := s.Done(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = nil
	for _, e := range list {
		s.expected = append(s.expected, &expected{Exchange: e})
	}
	return nil
}

// Done reports, as an error, what was expected and did not come, or came and was not expected.
func (s *Service) Done() error {
	if err := s.Trouble(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, e := range s.expected {
		if e.times == 0 && e.Times != TimesAny {
			lines = append(lines, fmt.Sprintf("%s: %s %s was expected, and did not come", e.Place, e.Method, e.URL))
		}
	}
	return asError(lines)
}

// Trouble reports, as an error, the requests that were not expected.
func (s *Service) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return asError(s.trouble)
}

func asError(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// Played is how many requests were served.
func (s *Service) Played() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.played
}

// maxBody bounds the body of a request.
const maxBody = 1 << 20

func (s *Service) serve(scheme string, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	host := strings.TrimSuffix(r.Host, ":443")
	asked := request{method: r.Method, url: scheme + "://" + host + r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header, body: string(body)}
	e, text, err := s.next(asked)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	for _, f := range e.Sent {
		w.Header().Add(f.Name, f.Value)
	}
	if w.Header().Get("Content-Type") == "" && json.Valid([]byte(text)) {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(e.Status)
	_, _ = io.Copy(w, bytes.NewReader([]byte(text)))
}

// refuse ends what was begun as soon as it can be: a browser goes back with an error, since whoever
// waits for it would wait for long.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	s.mu.Lock()
	s.trouble = append(s.trouble, err.Error())
	s.mu.Unlock()
	back, parse := url.Parse(r.URL.Query().Get("redirect_uri"))
	if parse == nil && back.Host != "" {
		back.RawQuery = url.Values{"error": {"server_error"}, "error_description": {"not expected"}, "state": {r.URL.Query().Get("state")}}.Encode()
		http.Redirect(w, r, back.String(), http.StatusFound)
		return
	}
	http.Error(w, "this request is not expected", http.StatusTeapot)
}

// next is the exchange for a request, with the response's words filled in.
func (s *Service) next(r request) (Exchange, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found, err := s.find(r)
	if err != nil {
		return Exchange{}, "", err
	}
	s.words = found
	if err := s.prove(r); err != nil {
		return Exchange{}, "", fmt.Errorf("%s: %w", e.Place, err)
	}
	e.times++
	s.played++
	filled, text, err := s.filled(e.Exchange)
	s.keepSecrets(r, text)
	if err != nil {
		err = fmt.Errorf("%s: %w", e.Place, err)
	}
	return filled, text, err
}

func (s *Service) find(r request) (*expected, words, error) {
	var nearest *expected
	var differences []string
	ordered := false // the next one in the order was seen
	for _, e := range s.expected {
		if e.Times == TimesNext && (e.times > 0 || ordered) || e.Times == TimesOnce && e.times > 0 {
			continue
		}
		ordered = ordered || e.Times == TimesNext
		c := compare(e.Exchange, r, s.words)
		if len(c.differences) == 0 {
			return e, c.words, nil
		}
		if nearest == nil && isAbout(e.Exchange, r, s.words) {
			nearest, differences = e, c.differences
		}
	}
	if nearest != nil {
		return nil, nil, fmt.Errorf("%s: %s differs from the request that is expected:\n  %s", nearest.Place, r, strings.Join(differences, "\n  "))
	}
	return nil, nil, fmt.Errorf("%s is not expected%s", r, s.instead(r))
}

// instead says why a request may not come now, and which one may.
func (s *Service) instead(r request) string {
	why := ""
	next := "no request is"
	for _, e := range s.expected {
		if isAbout(e.Exchange, r, s.words) {
			why = fmt.Sprintf(" yet (%s)", e.Place)
			if e.times > 0 {
				why = fmt.Sprintf(" again (%s)", e.Place)
			}
		}
		if next == "no request is" && e.times == 0 && e.Times != TimesAny {
			next = fmt.Sprintf("%s: %s %s is", e.Place, e.Method, e.URL)
		}
	}
	return why + "; " + next
}

// prove compares a verifier with the challenges that came (RFC 7636 §4.6).
func (s *Service) prove(r request) error {
	for _, encoded := range []string{r.query, r.body} {
		members, err := url.ParseQuery(encoded)
		if err != nil {
			continue // the body is no form
		}
		if challenge := members.Get("code_challenge"); challenge != "" {
			s.challenges[challenge] = true
		}
		verifier := members.Get("code_verifier")
		sum := sha256.Sum256([]byte(verifier))
		if verifier != "" && !s.challenges[verifier] && !s.challenges[base64.RawURLEncoding.EncodeToString(sum[:])] {
			return fmt.Errorf("the code_verifier does not belong to a code_challenge that came")
		}
	}
	return nil
}

// filled is an exchange's response with the words of the scenario in it.
func (s *Service) filled(e Exchange) (Exchange, string, error) {
	now := time.Now()
	sent := make([]Field, 0, len(e.Sent))
	for _, f := range e.Sent {
		value, err := s.fill(f.Value, now)
		if err != nil {
			return e, "", err
		}
		sent = append(sent, Field{f.Name, value})
	}
	e.Sent = sent
	text, err := s.fill(e.Response, now)
	return e, text, err
}
