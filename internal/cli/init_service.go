package cli

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/starter"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A beginning is how a new manifest comes to be known.
type beginning struct {
	*invocation
	path      string
	bases     []provider.Base // of a service that is an issuer alone
	elsewhere []string        // the URLs on which descriptions say that operations stand
	described bool            // what there is to declare is known without the server
}

// A knownService is all that a new manifest can say of its service.
type knownService struct {
	service  starter.Service
	manifest *manifest.Manifest // with the service's own first scopes, and nothing else
	session  *ambit.Session     // on that; nil where its server has no URL yet
	plan     *ambit.Plan        // of that; nil where the server could not be asked
	unread   *view.Failure      // why not; nil where nobody tried
	declared []scopes.Need      // elsewhere, in place of the first scopes
	proof    *audit.Evidence    // of descriptions; nil without any
	from     string             // which; ""
}

// serviceFor is the service of a word, or that a person at the terminal names.
func (b *beginning) serviceFor(ctx context.Context, word string) (*knownService, error) {
	if word != "" {
		known, err := b.know(ctx, named(word))
		return known, cmp.Or(err, known.nothing())
	}
	if !b.interactive() {
		return nil, failure.New(failure.ExitUsage, "init needs to know which service the scopes are of", "name it with --from PROVIDER, where PROVIDER is a built-in one ("+strings.Join(provider.BuiltinNames(), ", ")+"), an issuer's https URL, or a ./file.yaml")
	}
	return b.askService(ctx)
}

// named is the service of a word: a built-in one also where the word is its URL.
func named(word string) starter.Service {
	word = hostURL(word)
	service := starter.Service{Use: word}
	p := provider.BuiltinAt(provider.HostOf(word))
	if p == nil || !strings.Contains(word, "://") {
		return service
	}
	switch server, known := p.Lookup(word); {
	case known && server.Name != p.DefaultServer:
		return starter.Service{Use: p.Name, At: server.Name}
	case known, strings.HasSuffix(strings.TrimSuffix(word, "/"), "://"+provider.HostOf(word)):
		service.Use = p.Name
	}
	return service
}

// know reads what there is to know of a service. A server that cannot be asked is an error only where
// nothing else is known of its scopes.
func (b *beginning) know(ctx context.Context, service starter.Service) (*knownService, error) {
	if len(b.bases) > 0 && strings.Contains(service.Use, "://") {
		service = starter.Service{Server: &provider.Server{Issuer: service.Use, Bases: b.bases}}
	}
	m, err := b.drafted(service, "")
	if err != nil {
		return nil, err
	}
	if service.Server == nil && len(b.elsewhere) > 0 {
		service.Bases = starter.Beside(m.Provider, b.elsewhere)
	}
	if named := b.settings.Server; service.At == "" && slices.Contains(m.Provider.AllServerNames(), named) {
		service.At = named
	}
	known := &knownService{service: service, manifest: m}
	if open, is := m.Provider.OpenServer(cmp.Or(service.At, m.Provider.DefaultServer)); is {
		if known.service.Parameters, err = b.parameters(ctx, service, open, m.Provider.Lacking(open)); err != nil {
			return nil, err
		}
		if !b.interactive() {
			return known, b.knowOpen(ctx, known, open)
		}
	}
	if known.manifest, err = b.drafted(known.service, m.Provider.Starter); err != nil {
		return nil, err
	}
	return known, b.ask(ctx, known)
}

// knowOpen reads what there is to know of a service whose parameters are still to be filled in: all of it
// where its servers say nothing of themselves, wherever they are.
func (b *beginning) knowOpen(ctx context.Context, known *knownService, open provider.OpenServer) (err error) {
	known.service.In = open.Issuer
	sample := starter.Service{Use: known.service.Use}
	if open.NoDocument {
		for _, one := range known.service.Parameters {
			sample.Parameters = append(sample.Parameters, provider.Parameter{Name: one.Name, Value: "localhost"}) // it fits wherever one can stand
		}
	}
	if known.manifest, err = b.drafted(sample, known.manifest.Provider.Starter); err != nil || !open.NoDocument {
		return err
	}
	return b.ask(ctx, known)
}

// drafted is a manifest for a service that declares first, which is the YAML text of a list.
func (b *beginning) drafted(service starter.Service, first string) (*manifest.Manifest, error) {
	draft := starter.Manifest{Name: projectName(b.path), Service: service, First: first}
	if b.described {
		draft.First = ""
	}
	m, err := manifest.Decode(b.path, draft.Text(), yamlfile.Read)
	if err != nil {
		return nil, noManifest(b.path, service.Issuer(), err)
	}
	return m, nil
}

// ask asks the server what it offers. One that cannot be asked is no error yet.
func (b *beginning) ask(ctx context.Context, known *knownService) (err error) {
	if known.session, err = b.openOn(known.manifest, apikey.Sources{}, b.ui()); err != nil {
		return err
	}
	known.plan, err = known.session.Plan(ctx)
	if err != nil && ctx.Err() == nil {
		known.unread = failure.As(failure.Of(known.session, err))
		return nil
	}
	return ctx.Err()
}

// nothing is the failure of a service of whose scopes nothing is known: its server cannot be asked.
func (k *knownService) nothing() error {
	if k == nil || k.unread == nil {
		return nil
	}
	if p := k.manifest.Provider; p.Starter != "" || len(p.Scopes.Table) > 0 || p.Scopes.NoRequest {
		return nil
	}
	return unknownService(k.unread)
}

// unknownService is the failure of a server that cannot be asked, where nothing else is known.
func unknownService(unread *view.Failure) error {
	f := *unread
	switch {
	case f.Hint == advice.OwnAuthority, f.Hint == advice.WrongCertificate:
	case f.Code == failure.ExitCannotTell:
		f.Hint = "nothing was written; is this the issuer's URL, and can it be reached from here? one that publishes no metadata is described in a file: ambit init --provider"
	}
	return &f
}

// parameters are those that an open server lacks: as a person at the terminal gives them, else to be
// filled in.
func (b *beginning) parameters(ctx context.Context, service starter.Service, open provider.OpenServer, names []string) ([]provider.Parameter, error) {
	list := service.Parameters
	for _, name := range names {
		if !b.interactive() {
			list = append(list, provider.Parameter{Name: name})
			continue
		}
		err := b.input.Choose(ctx, "What is "+name+" in "+text.Printable(open.Issuer)+"?", func(answer string) *view.Failure {
			more := append(slices.Clone(list), provider.Parameter{Name: name, Value: answer})
			_, err := b.drafted(starter.Service{Use: service.Use, Parameters: more}, "")
			if mistakes, _ := errors.AsType[yamlfile.Mistakes](err); len(mistakes) > 0 {
				return failure.New(failure.ExitUsage, mistakes[0].Message, "")
			} else if err != nil {
				return failure.As(err)
			}
			list = more
			return nil
		})
		if err != nil {
			return nil, noAnswer(err)
		}
	}
	return list, nil
}

// askService has the person at the terminal name a service, which is asked what it offers at once.
func (b *beginning) askService(ctx context.Context) (*knownService, error) {
	b.console.Say("built in: %s", strings.Join(provider.BuiltinNames(), ", "))
	b.console.Say("any other is named by its issuer, such as https://auth.example.com, or by a ./file.yaml")
	var known *knownService
	var ended error
	err := b.input.Choose(ctx, "Which service are the scopes of?", func(answer string) *view.Failure {
		word, wrong := serviceWord(answer)
		if wrong != nil {
			return wrong
		}
		service := named(word)
		if service.Use != word {
			b.console.Say("%s is built in as %s", text.Printable(word), service.Use)
		}
		var err error
		known, err = b.know(ctx, service)
		err = cmp.Or(err, known.nothing())
		if errors.Is(err, console.ErrNoAnswer) { // to a question about the service
			ended = err
			return nil
		}
		if err != nil {
			return failure.As(err)
		}
		return nil
	})
	if err = cmp.Or(err, ended); err != nil {
		return nil, noAnswer(err)
	}
	return known, nil
}

// hostURL is the URL for which a host stands; any other word is itself.
func hostURL(word string) string {
	if !strings.Contains(word, ".") || strings.ContainsAny(word, `/\`) || strings.HasSuffix(word, ".yaml") || strings.HasSuffix(word, ".yml") {
		return word
	}
	return "https://" + strings.ToLower(word)
}

// serviceWord is what an answer names.
func serviceWord(answer string) (word string, wrong *view.Failure) {
	if low := strings.ToLower(answer); slices.Contains(provider.BuiltinNames(), low) {
		return low, nil
	}
	if strings.ContainsAny(answer, `./\`) {
		return hostURL(answer), nil
	}
	hint := text.DidYouMean(provider.BuiltinsNear(answer))
	return "", failure.New(failure.ExitUsage, "no service "+text.Quote(answer)+" is built in", cmp.Or(hint, "name it by its issuer's URL"))
}

// noAnswer is the failure of a question without an answer.
func noAnswer(err error) error {
	if errors.Is(err, console.ErrNoAnswer) {
		return &view.Failure{Code: failure.ExitUsage, Message: "no service was named: nothing was written", Hint: "name it: ambit init --from PROVIDER", Err: err}
	}
	return err
}

// offer is what there is to declare, as far as anybody says, and what the server lists.
func (k *knownService) offer() (scopes.Offer, scopes.Advertisement) {
	if k.plan != nil {
		return k.plan.Offer(), k.plan.Advertised()
	}
	facts := &k.manifest.Provider.Scopes
	server := facts.Advertised(scopes.Advertisement{})
	return scopes.NewOffer(server, nil, facts.About), server
}

// draft is the manifest: what is declared elsewhere, else the service's first scopes as far as its server
// grants them, and as comments what else there is.
func (k *knownService) draft() *starter.Manifest {
	p := k.manifest.Provider
	draft := &starter.Manifest{Name: k.manifest.Name, Service: k.service, Needs: k.declared}
	k.client(draft)
	if p.Scopes.NoRequest && len(k.declared) == 0 {
		draft.Note = "none is requested: what the client may do is set at the service"
		return draft
	}
	offer, server := k.offer()
	if k.proof != nil {
		draft.Choice = starter.DescribedChoice(k.from, k.proof, k.manifest.Provider, server, draft.Needs)
		return draft
	}
	var withheld []string
	if k.declared == nil {
		draft.Needs, withheld = k.first(server)
	}
	draft.Choice = starter.NewChoice(k.who()+" offers", offer, server, draft.Needs)
	if len(withheld) > 0 {
		draft.Choice.LeftOut = append(draft.Choice.LeftOut, "Often needed, and not to be had from this server: "+strings.Join(withheld, ", ")+".")
	}
	if len(draft.Needs)+len(draft.Choice.Offered) == 0 {
		draft.Choice.Unknown()
	}
	return draft
}

// who offers what there is: the server, where somebody asked one.
func (k *knownService) who() string {
	if k.plan == nil || k.service.In != "" {
		return cmp.Or(k.manifest.Provider.Service, k.service.Issuer())
	}
	return provider.HostOf(k.session.Server().Issuer)
}

// first are the scopes with which a manifest for the service begins, and those of them that its server
// does not grant.
func (k *knownService) first(server scopes.Advertisement) (needs []scopes.Need, withheld []string) {
	switch {
	case k.manifest.Provider.Starter == "" && server.Says(whoLogsIn) == scopes.AdvertisedYes:
		return []scopes.Need{{AnyOf: []string{whoLogsIn}, Level: scopes.Required, Why: "who is logging in"}}, nil
	case k.plan == nil:
		return k.manifest.Scopes, nil
	}
	for _, item := range k.plan.Scopes {
		if item.Decision == scopes.DecisionWithhold {
			withheld = append(withheld, item.Need.Name())
		} else {
			needs = append(needs, *item.Need)
		}
	}
	return needs, withheld
}

// whoLogsIn is the scope of OpenID Connect for who that is.
const whoLogsIn = "openid"

// client leaves a line for what a login needs to know of its client.
func (k *knownService) client(draft *starter.Manifest) {
	if k.plan == nil {
		return
	}
	facts, server := &k.manifest.Provider.Client, k.plan.Server
	draft.Service.PKCE = server.AuthorizationEndpoint != "" && server.CodeChallengeMethodsSupported == nil && !facts.Own && !facts.NoPKCE && !facts.ProtectsCode(k.session.Server().Name)
	client := k.plan.LoginClient()
	if _, lacks := errors.AsType[*ambit.NoClientError](client.Err); !lacks {
		return
	}
	draft.Service.Register = client.Redirect.String()
	if facts.Method == provider.AuthBasic || facts.Method == provider.AuthPost {
		draft.Service.Secret = starter.VariableFor(draft.Name)
	}
}

// view is what was written, in words.
func (k *knownService) view(path string, draft *starter.Manifest, schema string) view.Init {
	v := view.Init{Path: path, Provider: k.service.Issuer(), Schema: schema, Scopes: []string{}, Offered: []string{}, Register: draft.Service.Register, Next: failure.ForManifest(path).Command("plan")}
	for _, n := range draft.Needs {
		v.Scopes = append(v.Scopes, n.Name())
	}
	for _, n := range draft.Choice.Offered {
		v.Offered = append(v.Offered, n.Name())
	}
	if k.unread != nil {
		v.Unread = k.unread.Message
	}
	for _, one := range draft.Service.Parameters {
		if one.Value == "" {
			v.FillIn = append(v.FillIn, one.Name)
		}
	}
	return v
}

// projectName is the name of the directory that the manifest stands in.
func projectName(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "my-program"
	}
	if name := filepath.Base(filepath.Dir(abs)); len(name) > 1 {
		return name
	}
	return "my-program"
}
