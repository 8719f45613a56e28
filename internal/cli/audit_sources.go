package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/starter"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

// auditSources name the documents that say what is needed.
type auditSources struct {
	openAPI, mcpTools, traffic, calls, tools []string

	remote bool   // documents that an OpenAPI document refers to may be fetched
	base   string // on which operations stand that name none
}

// addFlags adds those of a command that names descriptions of an API and of tools by these flags.
func (s *auditSources) addFlags(cmd *cobra.Command, api, tools string) {
	f := cmd.Flags()
	s.addDescriptions(cmd, api, tools)
	f.StringArrayVar(&s.calls, "calls", nil, "a `FILE` with the calls that the program makes, one METHOD /path per line (repeatable)")
	f.StringSliceVar(&s.tools, "tools", nil, "the MCP tools that the program uses: names with * and ? (a `GLOB`; repeatable)")
	f.StringVar(&s.base, "base", "", "the `NAME` of the base that the operations of --"+api+" and --calls belong to (default: the base at the document's own host)")
	f.BoolVar(&s.remote, "allow-remote-refs", false, "fetch the documents that an OpenAPI document refers to")
}

// addDescriptions adds the flags for descriptions alone.
func (s *auditSources) addDescriptions(cmd *cobra.Command, api, tools string) {
	cmd.Flags().StringArrayVar(&s.openAPI, api, nil, "an OpenAPI document or a discovery document, a `FILE` or a URL (repeatable)")
	cmd.Flags().StringArrayVar(&s.mcpTools, tools, nil, "definitions of MCP tools with their scopes, a `FILE` or a URL (repeatable)")
}

// described reports whether a description of what the service has is named.
func (s *auditSources) described() bool { return len(s.openAPI)+len(s.mcpTools) > 0 }

// descriptions is what those say, as they have it, whatever the provider.
func (s *auditSources) descriptions(ctx context.Context, r *invocation) (found audit.Evidence, err error) {
	for _, name := range slices.Concat(s.openAPI, s.mcpTools) {
		more, err := readSource(ctx, r, name, evidence.MaxOpenAPI, func(shown string, text io.Reader) (audit.Evidence, error) {
			var reader evidence.OpenAPI
			if !isURL(name) {
				reader.Open = openBeside(name)
			}
			return evidence.ReadDescription(reader, shown, text)
		})
		if err != nil {
			return audit.Evidence{}, err
		}
		found.Merge(more)
	}
	return found, nil
}

// gather reads every source, in the order of the columns in which people see them.
func gather(ctx context.Context, r *invocation, p *ambit.Session, s *auditSources) (*audit.Evidence, error) {
	server := p.KeyServer()
	if s.base != "" && !slices.Contains(p.Provider().BaseNames(), s.base) {
		return nil, failure.New(failure.ExitUsage, fmt.Sprintf("--base: unknown base %q", s.base), text.AllowedHint(s.base, p.Provider().BaseNames()))
	}
	proof := &audit.Evidence{Tools: s.tools}
	read := func(names []string, limit int64, how func(name string, text io.Reader) (audit.Evidence, error)) error {
		for _, name := range names {
			more, err := readSource(ctx, r, name, limit, how)
			if err != nil {
				return err
			}
			if err := checkBases(p, name, &more); err != nil {
				return err
			}
			proof.Merge(more)
		}
		return nil
	}
	readAPI := func(name string, text io.Reader) (audit.Evidence, error) {
		reader := evidence.OpenAPI{Base: s.base, Server: server, Provider: withServer(p)}
		if !isURL(name) {
			reader.Open = openBeside(name)
		}
		if s.remote {
			reader.Fetch = func(u string) ([]byte, error) { return fetchReference(ctx, r, name, u) }
		}
		return reader.Read(name, text)
	}
	readCalls := func(name string, text io.Reader) (audit.Evidence, error) {
		base := cmp.Or(s.base, proof.OnlyBase(), evidence.DefaultBaseOf(server))
		return evidence.Calls{Base: base, Server: server, Provider: withServer(p)}.Read(name, text)
	}
	readTraffic := func(name string, text io.Reader) (audit.Evidence, error) {
		reader := evidence.Traffic{Provider: withServer(p), Known: knownOperations(p, proof), Scopes: declaredScopes(p)}
		return reader.Read(name, text)
	}
	for _, one := range []struct {
		names []string
		limit int64
		how   func(string, io.Reader) (audit.Evidence, error)
	}{
		{s.openAPI, evidence.MaxOpenAPI, readAPI},
		{s.mcpTools, evidence.MaxTools, evidence.Tools{Provider: p.Provider()}.Read},
		{s.calls, evidence.MaxCalls, readCalls},
		{s.traffic, evidence.MaxTraffic, readTraffic}, // last, for the others know operations
	} {
		if err := read(one.names, one.limit, one.how); err != nil {
			return nil, err
		}
	}
	if unknown, known := audit.UnknownTools(proof, declaredEntries(p)); len(unknown) > 0 {
		return nil, unknownTools(unknown, known)
	}
	if len(s.openAPI)+len(s.mcpTools)+len(s.calls)+len(s.traffic) == 0 {
		r.console.Note("no evidence was named (--openapi, --mcp-tools, --calls, --traffic): only the server's list is compared with the manifest")
	}
	return proof, nil
}

// checkBases fails where operations of a source stand on no base that is known. A note says on which those
// are taken to stand whose host has none.
func checkBases(p *ambit.Session, name string, found *audit.Evidence) error {
	known := p.Provider().BaseNames()
	isStray := func(op scopes.Operation) bool { return op.Tool == "" && !slices.Contains(known, op.Base) }
	for _, c := range found.Calls {
		if base := c.Operation.Base; isStray(c.Operation) && base == evidence.DefaultBase {
			return failure.New(failure.ExitUsage, text.Printable(c.Where.String())+": the call names no base", "write METHOD {base}/path, or name one with --base: "+text.Listed(known))
		} else if isStray(c.Operation) {
			return failure.New(failure.ExitUsage, fmt.Sprintf("%s: unknown base %q", text.Printable(c.Where.String()), base), text.AllowedHint(base, known))
		}
	}
	shown, at := text.Printable(guard.ShownURL(name)), text.Printable(strings.Join(found.Elsewhere, ", "))
	for i := range found.Requirements {
		switch {
		case !isStray(found.Requirements[i].Operation):
			continue
		case at == "":
			return failure.New(failure.ExitUsage, shown+" does not say on which server its operations stand", "name one of the provider's bases with --base: "+text.Listed(known))
		default:
			return failure.New(failure.ExitUsage, shown+": its operations stand on "+at+", where the provider has no base", baseToWrite(p, found.Elsewhere[0]))
		}
	}
	if at != "" {
		message := "its operations stand on " + at + ", where the provider has no base: they are taken for those of {" + evidence.DefaultBaseOf(p.KeyServer()) + "}"
		found.Notes = append(found.Notes, audit.Note{Where: audit.Where{File: shown}, Message: message})
	}
	return nil
}

// baseToWrite says how the manifest gives its server a base at a URL.
func baseToWrite(p *ambit.Session, at string) string {
	if server := p.Server(); len(server.Bases) == 0 {
		return text.Printable(fmt.Sprintf("write in the manifest: provider: {servers: {main: {issuer: %q, api: %q}}}", server.Issuer, at))
	}
	var words string
	for _, base := range starter.Beside(p.Provider(), []string{at}) {
		words = fmt.Sprintf("bases: {%s: %q}", base.Name, base.URL)
	}
	if file := p.Provider().File; file != "" {
		words = "write in the provider (" + file + "): " + words
	} else {
		words = fmt.Sprintf("write in the manifest: provider: {use: %s, %s}", p.Provider().Name, words)
	}
	return text.Printable(words) + ", or name a base with --base: " + text.Listed(p.Provider().BaseNames())
}

// unknownTools is the failure of names that no tool has: an audit of nothing finds nothing, and would
// pass after a tool was renamed.
func unknownTools(unknown, known []string) error {
	hint := "name the tools with --mcp-tools, or in used_by as tool:NAME"
	if len(known) > 0 {
		hint = "one that is known: " + known[0]
	}
	if near := nearTools(unknown[0], known); len(near) > 0 {
		hint = text.DidYouMean(near)
	}
	return failure.New(failure.ExitUsage, "--tools: no tool has this name: "+text.Printable(strings.Join(unknown, ", ")), text.Printable(hint))
}

// nearTools are tools whose names are near to one; of a pattern, to what stands before its first * or ?.
func nearTools(name string, known []string) []string {
	first := strings.IndexAny(name, "*?")
	if first < 0 {
		return text.Near(name, known)
	}
	for _, tool := range known {
		if near := text.Near(name[:first], []string{tool[:min(len(tool), first+1)]}); len(near) > 0 {
			return []string{tool}
		}
	}
	return nil
}

// knownOperations are those that the other sources and the manifest name.
func knownOperations(p *ambit.Session, proof *audit.Evidence) *scopes.Operations {
	var uses []scopes.Operation
	for i := range proof.Requirements {
		uses = append(uses, proof.Requirements[i].Operation)
	}
	for _, c := range proof.Calls {
		uses = append(uses, c.Operation)
	}
	for _, e := range declaredEntries(p) {
		uses = append(uses, e.UsedBy...)
	}
	return scopes.NewOperations(uses)
}

// declaredEntries are those of the manifest, whatever program they are for.
func declaredEntries(p *ambit.Session) []scopes.Need {
	entries := slices.Clone(p.Manifest().Scopes)
	for _, program := range p.Manifest().Programs {
		entries = append(entries, program.Scopes...)
	}
	return entries
}

func declaredScopes(p *ambit.Session) scopes.Set {
	var list []string
	for _, e := range declaredEntries(p) {
		list = append(list, e.AnyOf...)
	}
	return scopes.NewSet(list...)
}

// withServer is the provider, and the server that someone named by its URL.
func withServer(p *ambit.Session) *provider.Provider {
	own := *p.Provider()
	if _, known := own.Lookup(p.Server().Name); !known {
		own.Servers = append(slices.Clone(own.Servers), p.Server())
	}
	return &own
}

// readSource opens a file, or fetches a URL, and reads it.
func readSource(ctx context.Context, r *invocation, name string, limit int64, how func(string, io.Reader) (audit.Evidence, error)) (audit.Evidence, error) {
	if isURL(name) {
		return readRemote(ctx, r, name, limit, how)
	}
	f, err := os.Open(name)
	if err != nil {
		return audit.Evidence{}, failure.New(failure.ExitUsage, "cannot read a source: "+text.Printable(err.Error()), "")
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return audit.Evidence{}, failure.New(failure.ExitUsage, fmt.Sprintf("%s is not a readable file", text.Printable(name)), "")
	}
	more, err := how(name, f)
	return more, sourceFailure(err)
}

// readRemote fetches a source into a file, and reads it from there: in memory it would take
// its size several times over while it grows.
func readRemote(ctx context.Context, r *invocation, name string, limit int64, how func(string, io.Reader) (audit.Evidence, error)) (audit.Evidence, error) {
	directory, err := temporaryDirectory("ambit-audit-")
	if err != nil {
		return audit.Evidence{}, err
	}
	r.watchSignals()
	defer os.RemoveAll(directory)
	f, err := os.Create(filepath.Join(directory, "source"))
	if err != nil {
		return audit.Evidence{}, notKept(err)
	}
	defer f.Close()
	err = r.console.During("reading "+text.Printable(provider.HostOf(name)), func() error {
		return fetchDocument(ctx, r, f, name, limit)
	})
	if err != nil {
		return audit.Evidence{}, fetchFailure(err, name)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return audit.Evidence{}, notKept(err)
	}
	more, err := how(guard.ShownURL(name), f)
	return more, sourceFailure(err)
}

// notKept is the failure where a document cannot be written to a temporary file.
func notKept(err error) error {
	return failure.New(failure.ExitUsage, "cannot keep the document in a temporary file: "+text.Printable(err.Error()), "set TMPDIR to a directory of yours with room for it")
}

// openBeside reads what stands in a file's folder or below, and what no link leads out
// of there.
func openBeside(name string) func(path string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		folder, err := os.OpenRoot(filepath.Dir(name))
		if err != nil {
			return nil, err
		}
		defer folder.Close()
		switch info, err := folder.Stat(path); {
		case err != nil:
			return nil, files.Pathless(err) // its name is told anyway
		case !info.Mode().IsRegular():
			return nil, errors.New("it is not a file")
		case info.Size() > evidence.MaxOpenAPI:
			return nil, errors.New("it is too large")
		}
		return folder.ReadFile(path)
	}
}

func isURL(name string) bool { return strings.Contains(name, "://") }

// fetchFailure words what went wrong on the way to a document, without the parts of its
// URL that may be a secret.
func fetchFailure(err error, raw string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	f := *failure.As(failure.OfServer(err))
	if f.Code == failure.ExitCannotTell && f.Hint != advice.OwnAuthority && f.Hint != advice.WrongCertificate {
		f.Hint = "check the address and the network; a source may be a file, too"
	}
	f.Message = strings.ReplaceAll(f.Message, text.Printable(raw), text.Printable(guard.ShownURL(raw)))
	if u, err := url.Parse(raw); err == nil {
		for _, secret := range []string{u.RawQuery, u.Fragment, u.User.String()} {
			if secret != "" {
				f.Message = strings.ReplaceAll(f.Message, secret, "…")
			}
		}
	}
	return &f
}

// fetchDocument gets a document over https, or from this machine, and writes it to w. It
// carries no credential.
func fetchDocument(ctx context.Context, r *invocation, w io.Writer, raw string, limit int64) error {
	if err := guard.CheckURL(raw); err != nil {
		return &view.Failure{Code: failure.ExitUsage, Message: text.Printable(err.Error()), Hint: "a source is a file, or a URL with https", Err: err}
	}
	client, err := r.httpClient()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, raw, nil)
	if err != nil {
		return failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	answer, err := (&guard.Requester{HTTP: client, Accept: guard.AcceptYAML}).Copy(w, request, limit)
	if disk, ok := errors.AsType[*fs.PathError](err); ok {
		return notKept(disk)
	}
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return failure.New(failure.ExitCannotTell, fmt.Sprintf("%s answers with status %d", text.Printable(guard.ShownURL(raw)), answer.Status), "")
	}
	return nil
}

// fetchReference gets what an OpenAPI document refers to. A document from elsewhere may
// not lead to a port of this machine.
func fetchReference(ctx context.Context, r *invocation, document, raw string) ([]byte, error) {
	if isURL(document) && !onThisMachine(document) && onThisMachine(raw) {
		return nil, failure.New(failure.ExitUsage, fmt.Sprintf("%s refers to this machine: %s", text.Printable(guard.ShownURL(document)), text.Printable(guard.ShownURL(raw))), "")
	}
	r.console.Detail("reading %s", text.Printable(guard.ShownURL(raw)))
	var body bytes.Buffer
	if err := fetchDocument(ctx, r, &body, raw, evidence.MaxOpenAPI); err != nil {
		return nil, fetchFailure(err, raw)
	}
	return body.Bytes(), nil
}

func onThisMachine(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && guard.IsLoopback(u.Hostname())
}
