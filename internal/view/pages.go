package view

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

//go:embed pages/*.html
var pageFiles embed.FS

// pageTemplates are parsed when the first page is asked for: most commands show none.
var pageTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "pages/*.html"))
})

// Pages are what a browser sees of a login: what is about to be asked, and what
// came of it. They need no script, and everything in them is escaped.
type Pages struct {
	Compare func(s *ambit.Session, h *ambit.Held) Grant
	Failure func(s *ambit.Session, err error) *Failure
}

// A pageNeed is one declared need on a page.
type pageNeed struct{ Name, Why, Uses, Allows string }

// A pageGroup is needs under one heading.
type pageGroup struct {
	Title  string
	Remark string
	Needs  []pageNeed
}

func needOnPage(e scopes.Need, at provider.Server) pageNeed {
	uses := usesOf(e)
	if uses != "" {
		uses = "for " + at.Spell(uses)
	}
	return pageNeed{Name: e.Name(), Why: Why(e), Uses: uses}
}

// common is what every page has.
type common struct {
	Title   string
	Nonce   string
	Program string
}

func commonOf(program, title string) common { return common{program + title, rand.Text(), program} }

// Start implements [ambit.Pages]: the short local page that says what is about to be
// requested, and why.
func (p *Pages) Start(plan *ambit.Plan, authorizationURL string) http.Handler {
	return page("start.html", func() (any, string) {
		c := commonOf(plan.Session.Manifest().Name, " asks for access")
		return struct {
			common
			Host   string
			URL    string
			Groups []pageGroup
		}{c, provider.HostOf(authorizationURL), authorizationURL, askedGroups(plan)}, c.Nonce
	})
}

// askedGroups groups what the plan asks by level, and what it does not ask.
func askedGroups(plan *ambit.Plan) []pageGroup {
	at := plan.Session.Server()
	var groups []pageGroup
	for _, level := range scopes.Levels() {
		g := pageGroup{Title: strings.ToUpper(level.String()[:1]) + level.String()[1:], Remark: levelMeaning(level)}
		for _, item := range plan.Scopes {
			if item.Need.Level == level && item.Decision != scopes.DecisionWithhold {
				need := needOnPage(*item.Need, at)
				if allows := plan.About(item.Need); len(allows) > 0 {
					need.Allows = "allows: " + strings.Join(allows, "; ")
				}
				g.Needs = append(g.Needs, need)
			}
		}
		groups = appendGroup(groups, g)
	}
	withheld := pageGroup{Title: "Not requested", Remark: "This server does not offer these, or does not grant them."}
	for i := range plan.Scopes {
		if item := &plan.Scopes[i]; item.Decision == scopes.DecisionWithhold {
			withheld.Needs = append(withheld.Needs, pageNeed{Name: item.Need.Name(), Why: Why(*item.Need), Uses: at.Spell(plan.ReasonOf(item))})
		}
	}
	return appendGroup(groups, withheld)
}

func appendGroup(groups []pageGroup, g pageGroup) []pageGroup {
	if len(g.Needs) == 0 {
		return groups
	}
	return append(groups, g)
}

func levelMeaning(l scopes.Level) string {
	switch l {
	case scopes.Required:
		return "It does not start without these."
	case scopes.Recommended:
		return "It works without them, but noticeably worse."
	}
	return "Each of these enables one feature."
}

// Finished implements [ambit.Pages]: what was granted and what is missing.
func (p *Pages) Finished(s *ambit.Session, h *ambit.Held) http.Handler {
	v := p.Compare(s, h)
	return page("finished.html", func() (any, string) {
		c := commonOf(v.Name, ": logged in")
		return struct {
			common
			Bad, Assumed bool
			Unlisted     string
			Label        string
			Account      string
			Host         string
			Groups       []pageGroup
			Granted      []pageNeed
			Excess       string
			Next         []advice.Step
		}{
			c, len(v.Gap.Missing.Required) > 0, v.Gap.Assumed, Unlisted(v.Granted.KnownBy), v.Label, v.Account, provider.HostOf(h.Server.Issuer), lostGroups(v, h.Server), grantedNeeds(v, h.Server),
			strings.Join(v.Gap.Excess.Slice(), " "), spelled(v.Next, h.Server),
		}, c.Nonce
	})
}

// spelled are steps whose sentences are spelled; their commands stay what they are.
func spelled(steps []advice.Step, at provider.Server) []advice.Step {
	list := slices.Clone(steps)
	for i := range list {
		list[i].Text = at.Spell(list[i].Text)
	}
	return list
}

func lostGroups(v Grant, at provider.Server) []pageGroup {
	var groups []pageGroup
	for _, level := range scopes.Levels() {
		g := pageGroup{Title: "Missing, " + level.String()}
		for _, e := range v.Gap.Lost {
			if e.Level == level {
				g.Needs = append(g.Needs, needOnPage(e, at))
			}
		}
		groups = appendGroup(groups, g)
	}
	return groups
}

func grantedNeeds(v Grant, at provider.Server) []pageNeed {
	var needs []pageNeed
	for i := range v.Needs {
		if _, _, met := v.Needs[i].MetBy(v.Granted.Scopes, v.Implies); met {
			needs = append(needs, needOnPage(v.Needs[i], at))
		}
	}
	return needs
}

// Failed implements [ambit.Pages]: the server's own words, or what else went wrong.
func (p *Pages) Failed(s *ambit.Session, err error) http.Handler {
	return page("failed.html", func() (any, string) {
		c := commonOf(s.Manifest().Name, ": not logged in")
		refused, ok := errors.AsType[*oauth.AuthorizationError](err)
		f := p.Failure(s, err)
		return struct {
			common
			Denied        bool
			Message, Hint string
		}{c, ok && refused.Denied(), s.Server().Spell(f.Message), s.Server().Spell(f.Hint)}, c.Nonce
	})
}

// page renders a template with headers that allow nothing but its own style.
func page(name string, data func() (value any, nonce string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		value, nonce := data()
		var body bytes.Buffer
		if err := pageTemplates().ExecuteTemplate(&body, name, value); err != nil {
			http.Error(w, "the page cannot be shown; go back to the terminal", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Write(body.Bytes())
	})
}
