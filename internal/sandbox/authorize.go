package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// What a session remembers between the page and the click.
const (
	allowedKey = "allowed" // scopes that can be granted
	teamsKey   = "teams"   // preselected projects; nil: the grant is not bound to any
	formKey    = "form"    // what the form carries
	cookieKey  = "cookie"  // what the browser carries
)

// begin notes what only the authorization request says: a device's page is asked for without it.
func (sv *server) begin(r *http.Request, a *goidc.AuthnSession, _ *goidc.Client) bool {
	a.Store[teamsKey] = sv.teams(r)
	return true
}

// decide is what the library calls at each step of an authorization: first with the
// request itself, then with what the person sends from the page.
func (sv *server) decide(w http.ResponseWriter, r *http.Request, a *goidc.AuthnSession, c *goidc.Client) (goidc.Status, error) {
	if r.PathValue("callback") != "" {
		return sv.answered(w, r, a, c)
	}
	if err := sv.prepare(a); err != nil {
		return goidc.StatusFailure, err
	}
	allowed := a.Store[allowedKey].([]string)
	switch sv.grant.how {
	case grantNone:
		return goidc.StatusFailure, denied()
	case grantAll:
		return sv.consented(a, allowed)
	case grantThese:
		return sv.consented(a, both(allowed, sv.grant.scopes))
	}
	return goidc.StatusPending, sv.consentPage(w, r, a, c)
}

func denied() error {
	return goidc.NewError(goidc.ErrorCodeAccessDenied, "The person at the consent page said no.")
}

// prepare works out what of the asked scopes can be granted: what lies outside the
// application's ceiling is left out without a word, as the live service does.
func (sv *server) prepare(a *goidc.AuthnSession) error {
	// RFC 7636 §4.3: without a method the challenge is a plain one, which is not taken;
	// the library would read it as S256.
	if a.DeviceCode == "" && a.CodeChallengeMethod != goidc.CodeChallengeMethodSHA256 {
		return goidc.NewError(goidc.ErrorCodeInvalidRequest, "code_challenge_method must be S256")
	}
	allowed, err := sv.allowed(a.ClientID, a.Scopes)
	if err != nil {
		return err
	}
	name, _ := sv.applicationOf(a.ClientID)
	a.Store[allowedKey], a.Store[consentKey] = allowed, consent{Region: sv.home(), Application: name, Person: sv.shape.person(a.LoginHint)}
	return nil
}

// allowed is what of the asked scopes an application can get.
func (sv *server) allowed(clientID, scope string) ([]string, error) {
	asked := strings.Fields(scope)
	if len(asked) == 0 {
		return nil, goidc.NewError(goidc.ErrorCodeInvalidScope, "no scope was asked for") // RFC 6749 §3.3
	}
	_, app := sv.applicationOf(clientID)
	allowed := without(both(asked, app.Ceiling), sv.store.gone())
	if outside := without(asked, allowed); len(outside) > 0 && sv.misbehaves(kindReject) {
		return nil, goidc.NewError(goidc.ErrorCodeInvalidScope, "not allowed for this application: "+strings.Join(outside, " "))
	} else if len(outside) > 0 && sv.misbehaves(kindRejectAll) {
		return nil, goidc.NewError(goidc.ErrorCodeInvalidScope, "invalid scopes: "+strings.Join(asked, " "))
	}
	return allowed, nil
}

// home is where the grant will live: this server's region, else the person's.
func (sv *server) home() string {
	if sv.region != "" {
		return sv.region
	}
	if home := sv.Sandbox.region; !sv.misbehaves(kindOther) {
		return home
	}
	regions := sv.shape.Regions
	return regions[(slices.Index(regions, sv.Sandbox.region)+1)%len(regions)]
}

// teams is the project to which the request binds the grant; nil for none.
func (sv *server) teams(r *http.Request) []int {
	level := sv.shape.AccessLevel
	if r.FormValue(level.Parameter) != level.Project {
		return nil
	}
	id, _ := strconv.Atoi(r.FormValue(level.Preselect))
	if _, _, ok := sv.shape.project(id); !ok {
		id = sv.shape.Projects[0].ID
	}
	return []int{id}
}

// consented ends the flow with a grant of these scopes.
func (sv *server) consented(a *goidc.AuthnSession, scopes []string) (goidc.Status, error) {
	if sv.misbehaves(kindMore) {
		scopes = append(scopes, without(sv.shape.More, scopes)...)
	}
	if sv.misbehaves(kindEmptyScope) {
		scopes = nil
	}
	decided := consentOf(a.Store)
	decided.Teams, _ = a.Store[teamsKey].([]int)
	if sv.misbehaves(kindOther) {
		decided.Person.UUID, decided.Person.Email = "other-"+decided.Person.UUID, "other-"+decided.Person.Email
	}
	a.Store = map[string]any{consentKey: decided}
	a.Subject, a.Username = decided.Person.UUID, decided.Person.Email
	a.GrantedScopes = strings.Join(scopes, " ")
	return goidc.StatusSuccess, nil
}

// answered reads what came from the page.
func (sv *server) answered(w http.ResponseWriter, r *http.Request, a *goidc.AuthnSession, c *goidc.Client) (goidc.Status, error) {
	if !sv.fromOurPage(r, a) {
		return goidc.StatusPending, page(w, http.StatusForbidden, pageData{
			Title: "Not from this page", Problem: "This answer did not come from the consent page that this browser was shown. Nothing was granted.",
		})
	}
	if r.Method != http.MethodPost {
		return goidc.StatusPending, sv.consentPage(w, r, a, c)
	}
	if r.PostFormValue("decision") != "allow" {
		return goidc.StatusFailure, denied()
	}
	allowed, _ := a.Store[allowedKey].([]string)
	_, app := sv.applicationOf(a.ClientID)
	if id, err := strconv.Atoi(r.PostFormValue("project")); err == nil && a.Store[teamsKey].([]int) != nil {
		if _, _, ok := sv.shape.project(id); ok {
			a.Store[teamsKey] = []int{id}
		}
	}
	return sv.consented(a, both(allowed, append(r.PostForm["scope"], app.Pinned...)))
}

// errorPage shows what cannot be sent back to the application (RFC 6749 §4.1.2.1).
func (sv *server) errorPage(w http.ResponseWriter, _ *http.Request, err error) error {
	status, problem := http.StatusInternalServerError, err.Error()
	if known, ok := asLibraryError(err); ok {
		status = known.StatusCode()
	}
	return page(w, status, pageData{Title: "This cannot go on", Problem: fmt.Sprintf("The authorization request was refused: %s.", problem)})
}
