package sandbox

import (
	"bytes"
	"crypto/subtle"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

//go:embed consent.html
var consentHTML string

var pageTemplate = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(consentHTML) })

// pageData is what a page shows. Everything in it is escaped by the template.
type pageData struct {
	Title, Problem string
	Nonce          string // of the style sheet
	Return         string // origin of the redirect URI

	CodeAction, Code, Note string // of the page on which a code is entered

	Application, Person, Region string
	Action, Form                string
	Scopes                      []pageScope
	Projects                    []pageProject
}

type pageScope struct {
	Name   string
	Pinned bool
	Reason string // "" where nobody says one
}

type pageProject struct {
	ID       int
	Name     string
	Selected bool
}

// cookieName holds the browser to the page that it was shown.
const cookieName = "sandbox_consent"

// consentPage shows what is asked for, and lays down what the answer has to bring: a
// word in the form, and another in a cookie that no other site's form sends.
func (sv *server) consentPage(w http.ResponseWriter, r *http.Request, a *goidc.AuthnSession, c *goidc.Client) error {
	action := sv.shape.endpointPath("authorization_endpoint") + a.ID
	if a.DeviceCode != "" {
		action = devicePath + "/" + a.ID
	}
	if a.Store[formKey] == nil {
		a.Store[formKey], a.Store[cookieKey] = random(""), random("")
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: a.Store[cookieKey].(string), Path: action, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	_, app := sv.applicationOf(a.ClientID)
	data := pageData{
		Title: "Allow access?", Application: c.Name, Person: consentOf(a.Store).Person.Email, Region: strings.ToUpper(sv.home()),
		Action: action, Form: a.Store[formKey].(string), Return: originOf(a.RedirectURI),
	}
	for _, scope := range a.Store[allowedKey].([]string) {
		data.Scopes = append(data.Scopes, pageScope{scope, contains(app.Pinned, scope), sv.reasons[scope]})
	}
	if chosen := a.Store[teamsKey].([]int); chosen != nil {
		for _, p := range sv.shape.Projects {
			data.Projects = append(data.Projects, pageProject{p.ID, p.Name, p.ID == chosen[0]})
		}
	}
	return page(w, http.StatusOK, data)
}

// fromOurPage reports whether an answer came from the page that this browser was shown.
func (sv *server) fromOurPage(r *http.Request, a *goidc.AuthnSession) bool {
	cookie, err := r.Cookie(cookieName)
	want, _ := a.Store[cookieKey].(string)
	if err != nil || want == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(want)) != 1 {
		return false
	}
	if r.Method != http.MethodPost {
		return true
	}
	form, _ := a.Store[formKey].(string)
	origin := r.Header.Get("Origin")
	return (origin == "" || origin == sv.origin) && subtle.ConstantTimeCompare([]byte(r.PostFormValue("form")), []byte(form)) == 1
}

// page renders without script and with nothing from elsewhere. Browsers hold
// form-action to where a form's answer redirects, so the application's origin is in it.
func page(w http.ResponseWriter, status int, data pageData) error {
	t, err := pageTemplate()
	if err != nil {
		return fmt.Errorf("consent page: %w", err)
	}
	data.Nonce = random("")
	var text bytes.Buffer
	if err := t.Execute(&text, data); err != nil {
		return fmt.Errorf("consent page: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", strings.TrimSpace("default-src 'none'; style-src 'nonce-"+data.Nonce+"'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+data.Return))
	h.Set("Referrer-Policy", "same-origin") // not no-referrer: browsers then hide the Origin of the form's answer too
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(text.Bytes())
	return err
}

// originOf is scheme and host of a URL.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func asLibraryError(err error) (goidc.Error, bool) { return errors.AsType[goidc.Error](err) }
