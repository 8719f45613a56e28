package provider

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
)

// endpointWords are the members of an authorization server's metadata (RFC 8414 §2) that are URLs
// and that a file can give, in the order of the alphabet.
var endpointWords = []string{
	"authorization_endpoint", "device_authorization_endpoint", "introspection_endpoint", "jwks_uri", "pushed_authorization_request_endpoint",
	"registration_endpoint", "revocation_endpoint", "token_endpoint", "userinfo_endpoint",
}

// What else a file can say of a server.
const (
	askOn401Word   = "ask_on_401"
	metadataWord   = "metadata"
	loginWord      = "login"
	scopesWord     = "scopes_supported" // RFC 8414 §2
	tokenIssuer    = "id_token_issuer"
	sendsIssuer    = "authorization_response_iss_parameter_supported" // RFC 9207 §3
	noMetadataWord = "none"
)

// serverWords are those under a server that name no base.
func serverWords() []string {
	return append([]string{IssuerBase, askOn401Word, metadataWord, loginWord, scopesWord, sendsIssuer, tokenIssuer}, endpointWords...)
}

// isMetadataWord reports whether a word has the form of a member of metadata.
func isMetadataWord(word string) bool {
	return slices.ContainsFunc([]string{"_endpoint", "_uri", "_supported"}, func(end string) bool { return strings.HasSuffix(word, end) })
}

// endpoints are the URLs among what the file gives of the server's metadata, in a fixed order.
func (s Server) endpoints() []string {
	var list []string
	for _, word := range endpointWords {
		if u, ok := s.Metadata[word].(string); ok {
			list = append(list, u)
		}
	}
	return list
}

// Gives reports whether the file gives a member of the server's metadata.
func (s Server) Gives(member string) bool {
	_, given := s.Metadata[member]
	return given
}

// TokenIssuer is the issuer of an ID token with these claims, as [Server.IDTokenIssuer] has it; ok is
// false where a claim is not there.
func TokenIssuer(written string, claims map[string]any) (issuer string, ok bool) {
	issuer, lacks := template.Fill(written, func(name string) (string, bool) {
		claim, _ := claims[name].(string)
		return url.PathEscape(claim), claim != ""
	})
	return issuer, lacks == ""
}

// At is the same deployment at another issuer: each base and each endpoint that stands on the
// issuer's own URL stands on that of the other one. Others stay behind.
func (s Server) At(issuer string) Server {
	own := Server{Name: issuer, Issuer: issuer}
	moved := func(u string) (string, bool) {
		rest, ok := strings.CutPrefix(u, strings.TrimSuffix(s.Issuer, "/"))
		return strings.TrimSuffix(issuer, "/") + rest, ok
	}
	for _, b := range s.Bases {
		if u, ok := moved(b.URL); ok {
			own.Bases = append(own.Bases, Base{Name: b.Name, URL: u})
		}
	}
	for _, word := range endpointWords {
		if given, there := s.Metadata[word].(string); there {
			if u, ok := moved(given); ok {
				own.give(word, u)
			}
		}
	}
	own.NoLogin = s.NoLogin
	own.NoDocument = s.NoLogin || s.NoDocument && own.Gives("token_endpoint") // else its document may have one
	return own
}

func (s *Server) give(member string, value any) {
	if s.Metadata == nil {
		s.Metadata = make(map[string]any)
	}
	s.Metadata[member] = value
}
