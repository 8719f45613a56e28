package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/jsonedit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
)

func exportCommand(r *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "write the scopes for other readers: an agent, a README, a platform",
		Args: func(cmd *cobra.Command, args []string) error {
			return noSuchCommand(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			var known []string
			for _, c := range cmd.Commands() {
				known = append(known, c.Name())
			}
			return failure.New(failure.ExitUsage, "export takes the reader's name", "one of: "+strings.Join(known, ", "))
		},
	}
	cmd.AddCommand(exportClaudeCommand(r), exportMarkdownCommand(r))
	for _, k := range declared.Kinds() {
		cmd.AddCommand(exportKindCommand(r, k))
	}
	for _, sub := range cmd.Commands() {
		do := sub.RunE
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			r.schema = schemaOf("export")
			return do(cmd, args)
		}
	}
	return cmd
}

func exportClaudeCommand(r *invocation) *cobra.Command {
	forRun, into := false, ""
	cmd := &cobra.Command{
		Use:   "claude",
		Short: "the MCP server for an .mcp.json, its login pinned to the declared scopes",
		Long: `export claude prints an .mcp.json with the provider's MCP server. Its oauth.scopes are
those that the manifest declares for MCP tools (all of them, where it names no tool).
No server is contacted.

With --for-run the file is for an agent behind "ambit run": it takes URL and lease from
its environment, so that it needs no login of its own. The server has a name of its own
there (NAME-run), since an agent may remember that the real one wants a login.

With --into it puts the server into such a file, and leaves every other byte of it.

Exit codes: 0; 2 a mistake in the manifest or in the file, or a server without an MCP base.`,
		Example: "  ambit export claude --into .mcp.json\n  ambit export claude --server eu --program slack",
		Args:    noArguments,
		RunE: r.action(func(context.Context) (view.View, error) {
			v, err := exportClaude(r, forRun)
			if err != nil {
				return nil, err
			}
			if into != "" {
				return claudeInto(into, v)
			}
			return v, nil
		}),
	}
	cmd.Flags().StringVar(&into, "into", "", "put the server into this `FILE`, which may have others")
	cmd.Flags().BoolVar(&forRun, "for-run", false, "with the URL and the lease of ambit run, in place of a login of its own")
	return cmd
}

// forRunSuffix makes a name of its own for the server behind ambit run: what an agent remembers of the
// real one, such as that it wants a login, would else hold for this one.
const forRunSuffix = "-run"

func exportClaude(r *invocation, forRun bool) (v view.Claude, err error) {
	p, err := r.open(nil)
	if err != nil {
		return v, err
	}
	server := p.KeyServer()
	address, ok := server.Base(provider.MCPBase)
	if !ok {
		return v, failure.New(failure.ExitUsage, fmt.Sprintf("server %s has no base %s", text.Printable(server.Name), provider.MCPBase), "name another with --server, or add the base to the provider file")
	}
	if forRun {
		return view.Claude{Servers: map[string]view.ClaudeServer{p.Manifest().Name + forRunSuffix: {
			Type: "http", URL: "${" + profile.BaseVariable(provider.MCPBase) + "}", Headers: map[string]string{"Authorization": "Bearer ${" + profile.LeaseVariable + "}"},
		}}}, nil
	}
	needs := forTools(p.Needs())
	plan := scopes.Negotiate(scopes.Negotiation{Needs: needs, Implies: p.Provider().Implies})
	return view.Claude{Servers: map[string]view.ClaudeServer{
		p.Manifest().Name: {Type: "http", URL: address, OAuth: &view.ClaudeOAuth{Scopes: plan.Request.String()}},
	}}, nil
}

// claudeInto puts the servers into a file, which need not be there.
func claudeInto(path string, v view.Claude) (view.View, error) {
	before, err := files.Read(path, files.Rule{Limit: maxMarkdown, Links: true})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err = cmp.Or(files.DanglingLink(path), err); err != nil {
		return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	after := before
	for name, server := range v.Servers {
		if after, err = jsonedit.Set(after, []string{"mcpServers", name}, server); err != nil {
			return nil, failure.New(failure.ExitUsage, text.Printable(path+": "+err.Error()), "nothing was written")
		}
	}
	if bytes.Equal(before, after) {
		return view.ClaudeFile{Claude: v, Path: path}, nil
	}
	if err := files.Update(path, after); err != nil {
		return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	return view.ClaudeFile{Claude: v, Path: path, Changed: true}, nil
}

// forTools are the needs that name an MCP tool; all, where none does.
func forTools(needs []scopes.Need) []scopes.Need {
	named := slices.DeleteFunc(slices.Clone(needs), func(e scopes.Need) bool { return len(e.Tools()) == 0 })
	if len(named) == 0 {
		return needs
	}
	return named
}

func exportMarkdownCommand(r *invocation) *cobra.Command {
	var into string
	cmd := &cobra.Command{
		Use:   "markdown",
		Short: "the table of scopes for a README",
		Long: `export markdown prints a table of the declared scopes, with the level, the reason and the
uses of each, for the base and for every program, or those that --program names. With
--into it keeps the table in a file up to date, between these two lines:

    ` + marksBegin + `
    ` + marksEnd + `

Exit codes: 0; 2 a mistake in the manifest, or a file without the two lines.`,
		Example: "  ambit export markdown\n  ambit export markdown --into README.md",
		Args:    noArguments,
		RunE:    r.action(func(context.Context) (view.View, error) { return exportMarkdown(r, into) }),
	}
	cmd.Flags().StringVar(&into, "into", "", "keep the table in this `FILE` up to date")
	return cmd
}

func exportMarkdown(r *invocation, into string) (view.View, error) {
	p, err := r.open(nil)
	if err != nil {
		return nil, err
	}
	v := view.Table{Markdown: view.ManifestMarkdown(p), Path: into}
	if into == "" {
		return v, nil
	}
	before, err := files.Read(into, files.Rule{Limit: maxMarkdown, Links: true})
	if err = cmp.Or(files.DanglingLink(into), err); err != nil {
		return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
	}
	after, err := betweenMarks(into, string(before), v.Markdown)
	if err != nil {
		return nil, err
	}
	if v.Changed = after != string(before); v.Changed {
		if err := files.Update(into, []byte(after)); err != nil {
			return nil, failure.New(failure.ExitUsage, text.Printable(err.Error()), "")
		}
	}
	return v, nil
}

func exportKindCommand(r *invocation, k *declared.Kind) *cobra.Command {
	var into, token, entry string
	long := "export " + k.Name + " writes the declared scopes as they stand in " + k.Label + ":\n" + kindPlaces(k) + `
No server is contacted. What another declared scope implies is left out.

With --into it changes that part of such a file and leaves every other byte of it. A scope
stays where it stands if its level fits; of several alternatives those stay that are there.

Exit codes: 0; 2 a mistake in the manifest or in the file.`
	name := strings.ReplaceAll(k.Files[0], "*", "app")
	cmd := &cobra.Command{
		Use:     k.Name,
		Short:   "the scopes for " + k.Label,
		Long:    long,
		Example: "  ambit export " + k.Name + "\n  ambit export " + k.Name + " --into " + name,
		Args:    noArguments,
		RunE: r.action(func(context.Context) (view.View, error) {
			if tokens := k.Tokens(); token != "" && !slices.Contains(tokens, token) {
				return nil, failure.New(failure.ExitUsage, fmt.Sprintf("--token: unknown token %q", token), text.AllowedHint(token, tokens))
			}
			return exportKind(r, k, into, token, entry)
		}),
	}
	cmd.Flags().StringVar(&into, "into", "", "put the scopes into this `FILE`")
	if tokens := k.Tokens(); len(tokens) > 0 {
		cmd.Flags().StringVar(&token, "token", tokens[0], "`"+strings.Join(tokens, "|")+"` the token for which new scopes are declared")
		_ = cmd.RegisterFlagCompletionFunc("token", cobra.FixedCompletions(tokens, cobra.ShellCompDirectiveNoFileComp)) // it is there
	}
	if k.HasEntries() {
		cmd.Flags().StringVar(&entry, "entry", "", "the `NAME` of the entry in the file (default: the only one, or the manifest's name)")
	}
	return cmd
}

// kindPlaces lists where scopes stand in a kind of file, with the levels that go there.
func kindPlaces(k *declared.Kind) string {
	var b strings.Builder
	for _, p := range k.Places {
		var levels []string
		for _, l := range p.Levels {
			levels = append(levels, l.String())
		}
		fmt.Fprintf(&b, "\n    %s: %s", strings.ReplaceAll(strings.Join(p.Path, "."), "*", "NAME"), strings.Join(levels, ", "))
	}
	return b.String() + "\n"
}

func exportKind(r *invocation, k *declared.Kind, into, token, entry string) (view.View, error) {
	s, err := r.open(nil)
	if err != nil {
		return nil, err
	}
	usual := s.Manifest().Name
	kind := strings.TrimSuffix(k.Name+":"+entry, ":")
	var f *declared.File
	if into == "" || isNew(into) {
		f, err = declared.New(k, into, cmp.Or(entry, usual))
	} else {
		f, err = readDeclared(kind+"="+into, usual, declared.ReadToEdit)
	}
	if err != nil {
		return nil, declaredFailure(err)
	}
	after, err := f.Into(s.Needs(), s.Provider().Implies, token)
	if err != nil {
		return nil, declaredFailure(err)
	}
	v := view.Declared{Kind: k.Name, Content: string(after), Path: into}
	if v.Changed = into != "" && !f.Is(after); v.Changed {
		if err := files.Update(into, after); err != nil {
			return nil, failure.From(failure.ExitUsage, err, "")
		}
	}
	return v, nil
}

// isNew reports whether nothing is at a path yet.
func isNew(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// The lines between which a file holds the table.
const (
	marksBegin = "<!-- ambit scopes -->"
	marksEnd   = "<!-- ambit scopes end -->"
)

// maxMarkdown bounds the file into which the table or a server is written, in bytes.
const maxMarkdown = 16 << 20

// betweenMarks is the text with the table between its two marks, with the line ends and
// the indent that they have; all else stays byte for byte. A mark is a line of its own,
// outside of code: a text may speak of the marks.
func betweenMarks(file, document, table string) (string, error) {
	begins, ends := markLines(document)
	switch {
	case len(begins) == 0 || len(ends) == 0:
		return "", failure.New(failure.ExitUsage, text.Printable(file)+" has no place for the table", "put two lines into it: "+marksBegin+" and "+marksEnd)
	case len(begins) > 1 || len(ends) > 1:
		return "", failure.New(failure.ExitUsage, text.Printable(file)+" has the marks more than once", "")
	case ends[0] < begins[0]:
		return "", failure.New(failure.ExitUsage, text.Printable(file)+": the end mark comes before the begin mark", "")
	}
	from := begins[0] + strings.IndexByte(document[begins[0]:], '\n') + 1
	if indent, _, _ := strings.Cut(document[begins[0]:], "<"); strings.Trim(indent, " ") == "" && indent != "" { // of a list's item
		table = indent + strings.ReplaceAll(strings.TrimSuffix(table, "\n"), "\n", "\n"+indent) + "\n"
		table = strings.ReplaceAll(table, indent+"\n", "\n")
	}
	if strings.HasSuffix(document[:from], "\r\n") {
		table = strings.ReplaceAll(table, "\n", "\r\n")
	}
	return document[:from] + table + document[ends[0]:], nil
}

// markLines is where the lines begin that are the marks.
func markLines(text string) (begins, ends []int) {
	at, open, listed := 0, "", false
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		fence, info := codeFence(word)
		deep := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")
		if word != "" && !deep && line[0] != ' ' {
			listed = isListItem(word)
		}
		switch {
		case open == "" && deep && !listed:
			// code by its indent (CommonMark §4.4); in a list it is a part of that
		case open != "":
			if strings.HasPrefix(fence, open) && info == "" {
				open = ""
			}
		case fence != "":
			open = fence
		case word == marksBegin:
			begins = append(begins, at)
		case word == marksEnd:
			ends = append(ends, at)
		}
		at += len(line)
	}
	return begins, ends
}

// isListItem tells of a line that begins an item of a list (CommonMark §5.2).
func isListItem(word string) bool {
	bullet := strings.TrimLeft(word, "0123456789")
	if len(bullet) < len(word) {
		return strings.HasPrefix(bullet, ". ") || strings.HasPrefix(bullet, ") ")
	}
	return strings.HasPrefix(word, "- ") || strings.HasPrefix(word, "* ") || strings.HasPrefix(word, "+ ")
}

// codeFence is the fence of code that a line is, and what stands behind it; "" for a line
// that is none. It is closed by one as long or longer with nothing behind it (CommonMark
// §4.5); backticks behind backticks make a code span of the line.
func codeFence(word string) (fence, info string) {
	for _, tick := range []string{"`", "~"} {
		info = strings.TrimLeft(word, tick)
		if n := len(word) - len(info); n >= 3 && (tick == "~" || !strings.Contains(info, tick)) {
			return word[:n], info
		}
	}
	return "", ""
}
