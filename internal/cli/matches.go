package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/spf13/pflag"
)

func addMatchesFlag(f *pflag.FlagSet, into *[]string) {
	f.StringArrayVar(into, "matches", nil, "exit 5 when this `FILE` of a platform declares other scopes than the manifest; KIND=FILE where its kind is unclear")
}

// compareFiles compares the manifest with files that declare scopes for platforms.
func compareFiles(s *ambit.Session, arguments []string) ([]view.Match, error) {
	var list []view.Match
	for _, argument := range arguments {
		f, err := readDeclared(argument, s.Manifest().Name, declared.Read)
		if err != nil {
			return nil, err
		}
		m := view.Match{File: f, Differences: f.Compare(s.Needs(), s.Provider().Implies)}
		if len(m.Differences) > 0 {
			command := "ambit export " + f.Kind.Name + " --into " + advice.ShellWord(f.Path)
			if f.Entry != "" && f.Entry != s.Manifest().Name {
				command += " --entry " + advice.ShellWord(f.Entry)
			}
			m.Next = []advice.Step{
				{Text: "if the manifest is right", Command: failure.Command(command, s)},
				{Text: "if " + text.Printable(f.Path) + " is right, correct " + text.Printable(s.Manifest().File)},
			}
		}
		list = append(list, m)
	}
	return list, nil
}

// readDeclared reads such a file, as [declared.SplitKind] has it. Of several entries the usual one is meant,
// where none is named.
func readDeclared(argument, usual string, read func(kind, path string, source []byte) (*declared.File, error)) (*declared.File, error) {
	kind, path := declared.SplitKind(argument)
	source, err := files.Read(path, files.Rule{Limit: declared.MaxFileSize, Links: true})
	if err = cmp.Or(files.DanglingLink(path), err); err != nil {
		if word, _, named := strings.Cut(argument, "="); named && kind == "" && !strings.ContainsAny(word, `./\`) {
			_, unknown := declared.Named(word)
			return nil, declaredFailure(unknown)
		}
		return nil, failure.From(failure.ExitUsage, err, "")
	}
	f, err := read(kind, path, source)
	if e, ok := errors.AsType[*declared.EntryError](err); ok && e.Entry == "" && slices.Contains(e.Names, usual) {
		f, err = read(e.Kind+":"+usual, path, source)
	}
	if err == nil && f.Entry == "" && f.Kind.HasEntries() { // there are none yet
		f.Entry = usual
	}
	if mistakes, ok := errors.AsType[yamlfile.Mistakes](err); ok {
		err = mistakes.WithoutForeignWords(path)
	}
	return f, declaredFailure(err)
}

// declaredFailure is what is wrong in such a file, or that it is unclear what it is.
func declaredFailure(err error) error {
	if e, ok := errors.AsType[*declared.KindError](err); ok {
		return failure.From(failure.ExitUsage, e, e.Hint())
	}
	if e, ok := errors.AsType[*declared.EntryError](err); ok {
		return failure.From(failure.ExitUsage, e, "name one, as "+e.Kind+":NAME=FILE (export: --entry NAME): "+text.Printable(strings.Join(e.Names, ", ")))
	}
	if e, ok := errors.AsType[yamlfile.Mistakes](err); ok {
		return &view.Failure{Code: failure.ExitUsage, Message: text.Block(e.Error()), Err: err}
	}
	if e, ok := errors.AsType[*declared.EditError](err); ok {
		return failure.From(failure.ExitUsage, e, "nothing was written")
	}
	return err
}

// matchesVerdict is the failure of files that differ from the manifest; nil where none does.
func matchesVerdict(matches []view.Match) error {
	var words []string
	for _, m := range matches {
		if n := len(m.Differences); n > 0 {
			words = append(words, fmt.Sprintf("%s in %s", m.File.Path, text.Count(n, "scope")))
		}
	}
	if len(words) == 0 {
		return nil
	}
	return failure.New(failure.ExitFindings, "what is declared for a platform differs from the manifest: "+text.Printable(view.Some(words)), "")
}
