package replay

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Secrets are the credentials that went either way: tokens, keys, client secrets, codes and their
// verifiers. They have no business in what a command says, or in any file but the store's.
func (s *Service) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.secrets))
}

// minSecret is a length below which a text may stand anywhere by chance.
const minSecret = 8

func (s *Service) keepSecrets(r request, response string) {
	_, credential, _ := strings.Cut(r.header.Get("Authorization"), " ")
	s.keepSecret(credential)
	for _, encoded := range []string{r.query, r.body} {
		members, err := url.ParseQuery(encoded)
		for _, name := range []string{"access_token", "refresh_token", "token", "client_secret", "client_assertion", "code", "code_verifier", "device_code"} {
			if err == nil {
				s.keepSecret(members.Get(name))
			}
		}
	}
	var body any
	if json.Unmarshal([]byte(response), &body) == nil {
		s.keepTokens(body)
	}
}

// keepTokens looks for tokens in a response, however deep: a service may give two at once.
func (s *Service) keepTokens(body any) {
	members, _ := body.(map[string]any)
	for name, value := range members {
		if text, is := value.(string); is && slices.Contains([]string{"access_token", "refresh_token", "id_token", "device_code"}, name) {
			s.keepSecret(text)
		}
		s.keepTokens(value)
	}
}

func (s *Service) keepSecret(text string) {
	if len(text) >= minSecret {
		s.secrets[text] = true
	}
}
