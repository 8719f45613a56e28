package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/browser"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/spf13/cobra"
)

func loginCommand(r *invocation) *cobra.Command {
	var keys *keyFlags
	var add []string
	cmd := &cobra.Command{
		Use:   "login",
		Short: "request the declared scopes, and compare what was granted",
		Long: `login shows what will be requested, opens a browser for the consent, compares what was
granted with what is needed, and keeps the credential in the system's keyring.

Without a browser here: --no-browser prints the URL, and reads the one at which the
browser ends; --device shows a code for another device. Without a person: --browser
'CMD ARGS' runs that command with the URL, and --api-key-stdin takes an API key.

Exit codes: 0 everything required is granted; 2 wrong usage or an untrusted host;
3 a required scope is missing; 4 no credential, or consent denied; 6 the server
does not answer.`,
		Example: "  ambit login\n  ambit login --server eu --program slack\n  ambit login --device\n  ambit login --add SCOPE",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view.View, error) { return runLogin(ctx, r, keys, add) }),
	}
	keys = addKeyFlags(cmd.Flags())
	settings.LoginFlags(cmd.Flags())
	cmd.Flags().StringSliceVar(&add, "add", nil, "request this `SCOPE` too, and what the stored login holds; a list, or repeated")
	return cmd
}

func runLogin(ctx context.Context, r *invocation, keys *keyFlags, add []string) (view.View, error) {
	sources := r.keySources(keys)
	if !keys.flags.Changed("api-key-file") {
		sources.File = "" // of the user's config.yaml: for commands that use a key
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var plan *ambit.Plan
	s, err := r.openWith(sources, loginUI(r, cancel, func() string { return forScopes(plan) }))
	if err == nil && len(add) > 0 {
		s, err = widened(ctx, r, s, add)
	}
	if err != nil {
		return nil, err
	}
	if sources.Value == nil && sources.Stdin == nil && sources.File == "" {
		if _, err := s.Trust(ctx); err != nil {
			return nil, r.failure(s, err)
		}
		if s.Server().NoLogin {
			return nil, failure.Of(s, &ambit.NoLoginError{Server: s.Server()})
		}
		own := s.Provider().Client.Own
		if err := someone(r); err != nil && !own {
			return nil, err
		}
		if plan, err = s.Plan(ctx); err != nil {
			return nil, failure.Of(s, err)
		}
		noteAdded(r, plan, add)
		if own {
			r.console.Note("no login is needed: the client %s gets a token for itself where one is needed, and gets a new one now", text.Quote(s.Provider().Client.IDFor(s.Server().Name)))
		}
		if r.settings.Verbose {
			r.console.Show((&view.Plan{Plan: plan, Detail: true}).Text)
		} else {
			r.console.Show((&view.Plan{Plan: plan}).Remarks)
		}
		warnOfKeyFile(r)
		r.watchSignals() // a listener waits, though no request may have gone out yet
	}
	h, err := s.Login(ctx, plan)
	if err != nil {
		err = cmp.Or(context.Cause(ctx), err)
		if missing, ok := errors.AsType[*ambit.MissingError](err); ok {
			return view.Missing{Gap: scopes.Compare(missing.Needs, scopes.Grant{}, s.Provider().Implies)}, failure.Of(s, err)
		}
		return nil, r.failure(s, err)
	}
	v := compare(r, s, h)
	v.Brief, v.Login = true, true
	return v, failure.Missing(v.Gap, scopes.Required)
}

// forScopes says how much a login requests; "" where it requests nothing by name.
func forScopes(plan *ambit.Plan) string {
	if plan == nil || plan.Request.Len() == 0 || plan.Session.Provider().Scopes.NoRequest {
		return ""
	}
	return " for " + text.Count(plan.Request.Len(), "scope")
}

// loginUI is how a login speaks with the person, whom it tells what the page is for; end ends one whose
// page nobody can be shown.
func loginUI(r *invocation, end context.CancelCauseFunc, purpose func() string) ambit.UI {
	ui := r.ui()
	r.showCodes(&ui)
	ui.Open, ui.Paste, ui.PasteOnly = openOrEnd(r, opener(r, purpose), end), paste(r), !console.IsTerminal(r.Stdin)
	if r.visit == nil && r.settings.Browser == "" { // what a command shows is no tab that is loaded again
		ui.Linger = r.linger
	}
	ui.Pages = &view.Pages{
		Compare: func(s *ambit.Session, h *ambit.Held) view.Grant { return compare(r, s, h) },
		Failure: func(s *ambit.Session, err error) *view.Failure { return failure.As(failure.Of(s, err)) },
	}
	return ui
}

// widened is the session for a login that holds more.
func widened(ctx context.Context, r *invocation, s *ambit.Session, add []string) (*ambit.Session, error) {
	wider, err := s.Widen(ctx, add...)
	if _, mistyped := errors.AsType[*scopes.SyntaxError](err); mistyped {
		return nil, failure.New(failure.ExitUsage, "--add: "+text.Printable(err.Error()), "")
	}
	if err != nil {
		return nil, r.failure(s, err)
	}
	return wider, nil
}

// noteAdded says of scopes that the command line adds what a later login, or the server's list,
// has to do with them.
func noteAdded(r *invocation, plan *ambit.Plan, add []string) {
	m := plan.Session.Manifest()
	for _, scope := range add {
		if !slices.ContainsFunc(plan.Session.Needs(), func(e scopes.Need) bool { return e.Declared() && slices.Contains(e.AnyOf, scope) }) {
			r.console.Note("%s is not declared in %s: a login without --add does not request it, so declare it there to keep it", text.Printable(scope), text.Printable(m.File))
		}
		for i := range plan.Scopes {
			if item := &plan.Scopes[i]; item.Need.Name() == scope && len(plan.Near(item)) > 0 {
				r.console.Note("%s is none of the scopes that are known there; %s", text.Printable(scope), text.DidYouMean(plan.Near(item)))
			}
		}
	}
}

// paste is where the person may paste; nil where nobody is.
func paste(r *invocation) func() (<-chan string, func()) {
	if r.settings.NoBrowser || r.interactive() {
		return r.input.Lines
	}
	return nil
}

// warnOfKeyFile names a key in the settings: every command would take that, and not the login
// that is about to be made.
func warnOfKeyFile(r *invocation) {
	if r.settings.APIKeyFile != "" {
		r.console.Note("%s names an API key, which takes precedence over a login: remove it to use this one", r.settings.Origin("api_key_file"))
	}
}

// someone refuses at once to wait for a person who is not there.
func someone(r *invocation) error {
	if r.settings.Browser != "" {
		if err := (browser.Opener{Command: r.settings.Browser}).Check(); err != nil {
			return &view.Failure{Code: failure.ExitUsage, Message: text.Printable(err.Error()), Hint: "--browser 'CMD ARGS' is run with the URL in place of %s, or as its last argument", Err: err}
		}
		return nil
	}
	if r.visit != nil || r.interactive() || r.asksForCode() {
		return nil
	}
	if r.settings.NoBrowser && !r.settings.NoInput && !r.env.InCI() {
		return nil
	}
	return failure.Nobody(r.whyNobody())
}

// nobodyTypes is why nothing is read from a terminal; "" where it may be.
func (r *invocation) nobodyTypes() string {
	if r.settings.NoInput || r.env.InCI() {
		return r.whyNobody()
	}
	return ""
}

func (r *invocation) whyNobody() string {
	switch {
	case r.unasking != "":
		return r.unasking
	case r.settings.NoInput:
		return "--no-input was given"
	case r.env.InCI():
		return "CI is set"
	}
	return "this is not a terminal"
}

// compare compares what a credential holds with the needs.
func compare(r *invocation, s *ambit.Session, h *ambit.Held) view.Grant {
	gap := h.Gap()
	return view.Grant{
		Name: s.Manifest().Name, Needs: s.Needs(), Implies: s.Provider().Implies, Granted: h.Credential.Grant, Gap: gap, Meant: h.Meant(gap.Lost),
		Label: cmp.Or(h.Kind.Label, "a credential"), Level: scopes.Required, Account: h.Credential.Account, KeptAs: h.KeptAs(), Folder: s.Folder().Folder, Server: h.Server.Name, Next: failure.Next(s, h, gap, r.unattended()), Now: time.Now(), Renews: h.Credential.Renewable() && h.Unrenewable() == nil,
		Unasked: unasked(s, h),
	}
}

// unasked is why nobody was asked about a credential just now; "" where its server was, or gave it.
func unasked(s *ambit.Session, h *ambit.Held) string {
	switch {
	case h.Plan != nil || h.Said.Standing == credential.StandingKnown:
		return ""
	case h.Said.Err != nil:
		return h.Said.Err.Error()
	}
	return failure.Command("ambit check", s.For(h)) + " asks the server"
}

// openOrEnd ends the login where the page cannot be shown and nobody is there to
// open it by hand: the wait would be for nothing.
func openOrEnd(r *invocation, open openFunc, end context.CancelCauseFunc) openFunc {
	return func(ctx context.Context, startURL, authorizationURL string) error {
		err := open(ctx, startURL, authorizationURL)
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case r.interactive():
			r.console.Say("the browser could not be opened (%s): open the URL above yourself", text.Printable(err.Error()))
			return nil
		}
		end(&view.Failure{Code: failure.ExitUsage, Message: "the browser cannot be run: " + text.Printable(err.Error()), Hint: "see --browser and --no-browser", Err: err})
		return err
	}
}

// lingerFor is how long the last page of a login is there for a browser that loads it again.
const lingerFor = 1500 * time.Millisecond

// linger ends the pages of a login that is over in a while, which the end of the program waits for.
func (r *invocation) linger(stop func()) {
	ended := make(chan struct{})
	r.lingering = ended
	time.AfterFunc(lingerFor, func() {
		stop()
		close(ended)
	})
}

// An openFunc shows the login to the person.
type openFunc func(ctx context.Context, startURL, authorizationURL string) error

// opener shows the login to the person: by the command that was named, by BROWSER
// on a terminal, else by the system's browser; or not at all. Whatever does, someone who is there
// reads how to go on without it.
func opener(r *invocation, purpose func() string) openFunc {
	if r.visit != nil {
		return func(ctx context.Context, _, authorizationURL string) error { return r.visit(ctx, authorizationURL) }
	}
	show := browser.Opener{Command: r.settings.Browser, Output: r.Stderr}
	if show.Command == "" && r.interactive() {
		show.Command, show.List = r.env.Get("BROWSER"), true
	}
	return func(ctx context.Context, startURL, authorizationURL string) error {
		opening, url := "opening your browser", startURL
		if show.Command != "" {
			opening, url = "opening "+text.Printable(cmp.Or(show.Program(), "BROWSER")), authorizationURL
		}
		switch {
		case r.settings.NoBrowser:
			r.console.Say("%s:\n%s", browser.Invitation("", true), authorizationURL)
			return nil
		case r.interactive():
			r.console.Say("%s:\n%s", browser.Invitation(opening+purpose(), true), authorizationURL)
		default:
			r.console.Say("%s", opening+purpose())
		}
		return show.Open(ctx, url)
	}
}

// asksForCode reports whether a login with a code for another device was asked for so that it begins
// though nobody is known to be here: by a flag anywhere, by other settings as --no-browser is.
func (r *invocation) asksForCode() bool {
	return r.settings.Device && (r.settings.FromFlag("device") || !r.settings.NoInput && !r.env.InCI())
}

// showCodes lets a login go by a code for another device where somebody may read it, and prefers
// that where no page can be shown and nobody named a browser.
func (r *invocation) showCodes(ui *ambit.UI) {
	if !r.interactive() && !r.asksForCode() {
		return
	}
	if r.interactive() && r.visit == nil && r.settings.Browser == "" && !r.settings.NoBrowser && r.env.Get("BROWSER") == "" {
		ui.Remote = r.env.Remote()
	}
	why := ui.Remote
	if r.settings.Device {
		why = ""
	}
	ui.Code = func(ctx context.Context, c oauth.DeviceCode) {
		r.console.ShowCode(ctx, console.Code{
			Why: why, User: text.Printable(c.UserCode), URL: text.Printable(c.URL), Complete: text.Printable(c.Complete),
			Expires: c.Expires, ASCII: !r.env.UTF8(),
		})
	}
}
