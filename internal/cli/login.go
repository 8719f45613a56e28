package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/spf13/cobra"
)

func loginCommand(r *invocation) *cobra.Command {
	var keys *keyFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "ask for the declared scopes, and compare what was granted",
		Long: `login shows what will be requested, opens a browser for the consent, compares what was
granted with what is needed, and keeps the credential in the system's keyring. A
required scope that this server cannot give ends it before the browser opens.

Without a browser on this machine: --no-browser prints the URL, and reads the URL
that the browser ended at, its query, or the bare code. Without a person:
--browser 'CMD ARGS' runs that command with the URL, and --api-key-stdin takes an API key.

Exit codes: 0 everything required is granted; 2 wrong usage or an untrusted host;
3 a required scope is missing; 4 no credential, or consent denied; 6 the server
does not answer.`,
		Example: "  ambit login\n  ambit login --server eu --program slack\n  ambit login --no-browser",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view.View, error) { return runLogin(ctx, r, keys) }),
	}
	keys = addKeyFlags(cmd.Flags())
	cmd.Flags().String("browser", "", "run `CMD` with the URL, even where there is no terminal")
	cmd.Flags().Bool("no-browser", false, "print the URL, and read the URL that the browser ended at")
	return cmd
}

func runLogin(ctx context.Context, r *invocation, keys *keyFlags) (view.View, error) {
	sources := r.keySources(keys)
	if !keys.flags.Changed("api-key-file") {
		sources.File = "" // of the user's config.yaml: for commands that use a key
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ui := r.ui()
	ui.Open, ui.Paste, ui.PasteOnly = openOrEnd(r, opener(r), cancel), paste(r), !console.IsTerminal(r.Stdin)
	ui.Pages = &view.Pages{
		Compare: func(s *ambit.Session, h *ambit.Held) view.Grant { return compare(r, s, h) },
		Failure: func(s *ambit.Session, err error) *view.Failure { return asFailure(failureOf(s, err)) },
	}
	s, err := r.openWith(sources, ui)
	if err != nil {
		return nil, err
	}
	var plan *ambit.Plan
	if sources.Value == nil && sources.Stdin == nil && sources.File == "" {
		if _, err := s.Trust(ctx); err != nil {
			return nil, r.failure(s, err)
		}
		if err := someone(r); err != nil {
			return nil, err
		}
		if plan, err = s.Plan(ctx); err != nil {
			return nil, failureOf(s, err)
		}
		planText := &view.Printer{Paint: r.console.Paint, Width: console.Width(r.Stderr)}
		(&view.Plan{Plan: plan, Detail: r.settings.Verbose}).Text(planText)
		r.console.Write(planText.String() + "\n")
		warnOfKeyFile(r)
		r.watchSignals() // a listener waits, though no request may have gone out yet
	}
	h, err := s.Login(ctx, plan)
	if err != nil {
		err = cmp.Or(context.Cause(ctx), err)
		if missing, ok := errors.AsType[*ambit.MissingError](err); ok {
			return view.Missing{Gap: scopes.Compare(missing.Needs, scopes.Grant{}, s.Provider().Implies)}, failureOf(s, err)
		}
		return nil, r.failure(s, err)
	}
	v := compare(r, s, h)
	v.Brief = h.Kind.Create == "" // a login showed the needs before it asked
	return v, missingFailure(missingLines(v.Gap, scopes.Required))
}

// paste is where the person may paste; nil where nobody is.
func paste(r *invocation) func() <-chan string {
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
		if err := (oauth.Browser{Command: r.settings.Browser}).Check(); err != nil {
			return &view.Failure{Code: exitUsage, Message: text.Printable(err.Error()), Hint: "--browser 'CMD ARGS' is run with the URL as its last argument", Err: err}
		}
		return nil
	}
	if r.visit != nil || r.interactive() {
		return nil
	}
	if r.settings.NoBrowser && !r.settings.NoInput && !r.env.InCI() {
		return nil
	}
	return nobodyHere(r.whyNobody())
}

// nobodyHere is a login for which a person would be needed, and why none is there.
func nobodyHere(why string) *view.Failure {
	return fail(exitNoCredential, "nobody is here to log in: "+why,
		"give an API key with --api-key-stdin, or run a browser of your own with --browser CMD")
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
		Name: s.Manifest().Name, Needs: s.Needs(), Implies: s.Provider().Implies, Granted: h.Credential.Grant, Gap: gap,
		Label: cmp.Or(h.Kind.Label, "a credential"), Server: h.Server.Name, Next: nextSteps(r, s, h, gap), Now: time.Now(), Renews: h.Credential.Renewable(),
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
	return inProject("ambit check", s) + " asks the server"
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
			r.console.Say("the browser could not be opened: %s", text.Printable(err.Error()))
			r.console.Say("open this URL yourself; if the browser ends at a page that does not load, paste its URL here:\n\n%s\n", authorizationURL)
			return nil
		}
		end(&view.Failure{Code: exitUsage, Message: "the browser cannot be run: " + text.Printable(err.Error()), Hint: "see --browser and --no-browser", Err: err})
		return err
	}
}

// An openFunc shows the login to the person.
type openFunc func(ctx context.Context, startURL, authorizationURL string) error

// opener shows the login to the person: by the command that was named, by BROWSER
// on a terminal, else by the system's browser; or not at all.
func opener(r *invocation) openFunc {
	command := r.settings.Browser
	if command == "" && r.interactive() {
		command = r.env.Get("BROWSER")
	}
	browser := oauth.Browser{Command: command, Output: r.Stderr}
	return func(ctx context.Context, startURL, authorizationURL string) error {
		switch {
		case r.settings.NoBrowser:
			r.console.Say("open this URL in a browser, on any machine:\n\n%s\n\nThen come back here. If the browser ends at a page that does not load, paste its URL, or the code that the server shows:", authorizationURL)
			return nil
		case r.visit != nil:
			return r.visit(ctx, authorizationURL)
		case command != "":
			r.console.Say("opening the login with %s", text.Printable(strings.Fields(command)[0]))
			return browser.Open(ctx, authorizationURL)
		}
		r.console.Say("opening your browser; if none appears, visit %s", startURL)
		return browser.Open(ctx, startURL)
	}
}
