package metadata

import (
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// ProtectedResource is a protected resource's metadata (RFC 9728 §2), with
// the conventions of [AuthorizationServer].
type ProtectedResource struct {
	Resource             string               // resource, as the document writes it
	AuthorizationServers []string             // authorization_servers: issuers, each fit for Client.AuthorizationServer
	ScopesSupported      scopes.Advertisement // scopes_supported

	Source Source // where the document came from, and warnings
}

// readProtectedResource reads and validates the document of resource, as
// [readAuthorizationServer] does that of an issuer.
func readProtectedResource(document *guard.Object, resource string) (*ProtectedResource, error) {
	u, err := guard.ParseURL(resource)
	if err != nil {
		return nil, err
	}
	r := &reader{Object: document, here: guard.PointsHere(u.Hostname())}
	pr := &ProtectedResource{
		Resource:             r.resource(resource),
		AuthorizationServers: r.issuers("authorization_servers"),
		ScopesSupported:      r.scopes("scopes_supported"),
	}
	if err := r.err(resource); err != nil {
		return nil, err
	}
	pr.Source.Warnings = r.told()
	return pr, nil
}

// resource reads which resource the document is of. One that has several speaks for what
// stands below it, and so does one document for a whole host.
func (r *reader) resource(asked string) string {
	says := r.Text("resource")
	below, ok := strings.CutPrefix(asked, strings.TrimSuffix(says, "/")+"/")
	if u, err := guard.ParseURL(says); err == nil && u.RawQuery == "" && ok && below != "" {
		r.warn("the server's metadata is of the resource %s, which %s is below", text.Quote(says), text.Quote(asked))
		return says
	}
	return r.identity("resource", asked)
}

// issuers is a list of URLs that can be asked for in turn.
func (r *reader) issuers(field string) []string {
	var usable []string
	for i, issuer := range r.List(field) {
		if problem := urlProblem(issuer, parseIssuerURL, r.here); problem != "" {
			r.Leave(fmt.Sprintf("%s[%d]", field, i), "%s", problem)
			continue
		}
		usable = append(usable, issuer)
	}
	return usable
}
