package metadata

import (
	"fmt"

	"github.com/ambit-auth/ambit/internal/guard"
)

// ProtectedResource is a protected resource's metadata (RFC 9728 §2), with
// the conventions of [AuthorizationServer].
type ProtectedResource struct {
	Resource               string          // resource, as the document writes it
	AuthorizationServers   []string        // authorization_servers: issuers, each fit for Client.AuthorizationServer
	JWKSURI                string          // jwks_uri
	ScopesSupported        ScopesSupported // scopes_supported
	BearerMethodsSupported []string        // bearer_methods_supported: header, body, query
	ResourceName           string          // resource_name, for people; not escaped
	ResourceDocumentation  string          // resource_documentation, a page for people
	ResourcePolicyURI      string          // resource_policy_uri, a page for people
	ResourceTOSURI         string          // resource_tos_uri, a page for people

	Source Source // where the document came from, and warnings
}

// ParseProtectedResource reads and validates the document of resource, as
// [ParseAuthorizationServer] does that of an issuer.
func ParseProtectedResource(raw []byte, resource string) (*ProtectedResource, error) {
	asked, err := guard.ParseURL(resource)
	if err != nil {
		return nil, err
	}
	d := decodeDocument(raw, guard.PointsHere(asked.Hostname()))
	pr := &ProtectedResource{
		Resource:               d.identity("resource", resource),
		AuthorizationServers:   d.issuers("authorization_servers"),
		JWKSURI:                d.endpoint("jwks_uri"),
		ScopesSupported:        d.scopes("scopes_supported"),
		BearerMethodsSupported: d.list("bearer_methods_supported"),
		ResourceName:           d.text("resource_name"),
		ResourceDocumentation:  d.link("resource_documentation"),
		ResourcePolicyURI:      d.link("resource_policy_uri"),
		ResourceTOSURI:         d.link("resource_tos_uri"),
	}
	if err := d.err(resource); err != nil {
		return nil, err
	}
	pr.Source.Warnings = d.warnings
	return pr, nil
}

// issuers is a list of URLs that can be asked for in turn.
func (d *document) issuers(field string) []string {
	list := d.list(field)
	for i, issuer := range list {
		element := fmt.Sprintf("%s[%d]", field, i)
		u, err := guard.ParseEndpoint(issuer)
		if err == nil {
			err = checkIssuerForm(u)
		}
		d.judgeURL(element, issuer, u, err)
	}
	return list
}
