package scopes_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// Each way in which people miss a scope's name leads to it, and to few others.
func TestNear(t *testing.T) {
	known := []string{
		"read_repository", "write_repository", "read_api", "api", "insight:read", "insight:write", "annotation:read", "query:read",
		"read:org", "admin:org", "repo", "repo:status", "User.Read", "Mail.ReadWrite", "event_definition:write", "openid", "offline_access",
		"https://www.svc.example/auth/drive", "https://www.svc.example/auth/drive.readonly", "https://www.svc.example/auth/drive.metadata.readonly", "https://mail.svc.example/",
	}
	for word, want := range map[string][]string{
		// another joint
		"insight.read": {"insight:read"}, "insight_read": {"insight:read"}, "insight-read": {"insight:read"}, "insight/read": {"insight:read"},
		"read-repository": {"read_repository"}, "read:repository": {"read_repository"}, "event-definition:write": {"event_definition:write"},
		"user:read": {"User.Read"},
		// another order
		"read:insight": {"insight:read"}, "org:read": {"read:org"}, "repository:write": {"write_repository"}, "write:event.definition": {"event_definition:write"},
		// another case
		"INSIGHT:READ": {"insight:read"}, "OpenID": {"openid"}, "user.read": {"User.Read"}, "mail.readwrite": {"Mail.ReadWrite"},
		// another number
		"insights:read": {"insight:read"}, "read:insights": {"insight:read"}, "annotations:read": {"annotation:read"},
		// a part that is not written out
		"write_repo": {"write_repository"}, "read_repo": {"read_repository"}, "annot:read": {"annotation:read"},
		// without what may be done
		"insight": {"insight:read", "insight:write"}, "repository": {"read_repository", "write_repository"}, "org": {"read:org", "admin:org"},
		// the end of a URL
		"drive.readonly": {"https://www.svc.example/auth/drive.readonly"}, "drive": {"https://www.svc.example/auth/drive"},
		"drive.metadata-readonly":                      {"https://www.svc.example/auth/drive.metadata.readonly"},
		"drive.readonyl":                               {"https://www.svc.example/auth/drive.readonly"},
		"https://www.svc.example/auths/drive.readonly": {"https://www.svc.example/auth/drive.readonly"},
		"http://www.svc.example/auth/drive":            {"https://www.svc.example/auth/drive"},
		"https://mail.svc.example":                     {"https://mail.svc.example/"},
		// slips
		"insigth:read": {"insight:read"}, "query:raed": {"query:read"}, "write_repositry": {"write_repository"}, "ofline_access": {"offline_access"},
		"nsight_read": {"insight:read"}, "Insigth.Read": {"insight:read"},
		// nothing of these
		"survey:read": {}, "insight:delete": {}, "calendar": {}, "": {}, ":": {}, "https://": {}, "rep": {"repo"},
		"user:write": {}, "https://www.svc.example/auth/calendar": {},
	} {
		if got := scopes.Near(word, known); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := scopes.Near("insight:read", known); slices.Contains(got, "insight:read") {
		t.Error("a scope that is known is no slip for itself:", got)
	}
}

// However many are alike, few are offered, in an order of their own.
func TestNearIsShort(t *testing.T) {
	var known []string
	for i := range 50 {
		known = append(known, fmt.Sprintf("insight%d:read", 49-i))
	}
	got := scopes.Near("insight:read", known)
	if want := []string{"insight0:read", "insight10:read", "insight11:read"}; !slices.Equal(got, want) || len(got) > text.MaxNear {
		t.Errorf("%q", got)
	}
}
