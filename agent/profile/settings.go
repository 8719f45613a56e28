package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/pelletier/go-toml/v2"
)

const (
	// maxSettings bounds a settings file, in bytes; honest ones have a few KiB.
	maxSettings = 256 << 10
	// maxSettingsFiles bounds how many files of a directory are read.
	maxSettingsFiles = 100
	// maxDepth bounds how deep settings may be nested where a key is looked for.
	maxDepth = 8
)

// allSettings reads the settings files of this system that are wanted.
func (s *scan) allSettings(wanted func(settings) bool) {
	for _, f := range s.profile.settings {
		if (f.OS == "" || f.OS == s.OS) && wanted(f) {
			s.settings(f)
		}
	}
}

// settings reads one settings file, or every one in a directory.
func (s *scan) settings(f settings) {
	path := s.expand(f.Path)
	dir, all := strings.CutSuffix(path, "/*")
	if !all {
		s.file(f, path)
		return
	}
	names := s.Files.ReadDir(dir)
	slices.Sort(names)
	for _, name := range names[:min(len(names), maxSettingsFiles)] {
		if strings.HasSuffix(name, "."+f.Format) {
			s.file(f, dir+"/"+name)
		}
	}
}

// read is what a file of settings holds, or why nothing of it can be read.
func (s *scan) read(path string, limit int64, format string) (document map[string]any, problem string, found bool) {
	content, err := s.Files.ReadFile(path, limit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", false
	case err != nil:
		return nil, unreadable(err), true
	}
	document, problem = parseSettings(format, content)
	return document, problem, true
}

func (s *scan) file(f settings, path string) {
	if s.seen[path] {
		return
	}
	s.seen[path] = true
	document, problem, found := s.read(path, maxSettings, f.Format)
	if !found {
		return
	}
	s.note(f, path, document, problem)
}

// note notes what of a document is in the way, or that it cannot be read.
func (s *scan) note(f settings, path string, document map[string]any, problem string) {
	if problem != "" {
		s.unread(f.Source, path, problem)
		return
	}
	if f.Counts {
		for name := range leaves("", document, maxDepth) {
			s.applied[name] = true
		}
	}
	s.found = append(s.found, s.profile.judge(f, path, document)...)
}

// unread notes a file of which nothing is known.
func (s *scan) unread(source, path, problem string) {
	s.found = append(s.found, Conflict{
		Path: path, Source: source, Keys: []string{}, Effect: EffectNone, Problem: problem, Advice: "fix the file: ambit cannot tell what it says",
	})
}

// unreadable says why a file cannot be read.
func unreadable(err error) string { return "it cannot be read: " + text.Line(withoutPath(err)) }

// withoutPath drops the path from an error that will stand beside the path.
func withoutPath(err error) string {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return err.Error()
}

// needed notes keys that the program needs, and finds in no settings that it applies. It does so for
// a program that is to be run: who does not use it need not hear of it.
func (s *scan) needed() {
	if len(s.Command.words) == 0 {
		return
	}
	for _, k := range s.profile.keys {
		if k.Needed && !s.applied[k.Name] {
			c := Conflict{Path: s.ownSettings(), Source: SourceUser, Keys: []string{k.Name}, Effect: EffectLacks, Overrides: true, Advice: cmp.Or(k.Advice, "set "+k.Name+" to "+k.Unless+" there")}
			s.found = append(s.found, c)
		}
	}
}

// ownSettings is the path of the user's settings file.
func (s *scan) ownSettings() string {
	for _, f := range s.profile.settings {
		if f.Source == SourceUser && f.Counts && (f.OS == "" || f.OS == s.OS) {
			return s.expand(f.Path)
		}
	}
	return "its settings"
}

// judge finds what of a document is in the way: keys with one effect are one conflict.
func (p *Profile) judge(f settings, path string, document map[string]any) []Conflict {
	var list []Conflict
	for name, value := range leaves("", document, maxDepth) {
		k, known := p.key(name)
		if !known || !k.set(value) || len(k.Sources) > 0 && !slices.Contains(k.Sources, f.Source) {
			continue
		}
		c := Conflict{Path: path, Source: f.Source, Effect: EffectNone, Advice: "nothing needs to be done: the file is not applied"}
		if f.Counts {
			c.Effect = k.effectOf(value, p)
			c.Overrides, c.Advice = c.Effect.overrides(), cmp.Or(k.Advice, "remove "+text.Line(name)+" there")
			c.Overridable = c.Overrides && p.precedence.overrides(f.Source, name)
		}
		list = join(list, c, text.Line(name))
	}
	return list
}

// effectOf is the effect of the key with a value. Where that is header fields, one that does not
// leave is dropped; only their names are looked at. In Authorization stands the lease.
func (k key) effectOf(value any, p *Profile) Effect {
	if !k.Fields {
		return k.Effect
	}
	for line := range strings.Lines(fmt.Sprint(value)) {
		name, _, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, authorization) && p.IsCredential(name) {
			return EffectDropped
		}
	}
	return EffectNone
}

// join adds a key to the conflict of the list that is like c, or to c as a new one.
func join(list []Conflict, c Conflict, key string) []Conflict {
	for i := range list {
		same := &list[i]
		if same.Effect != c.Effect || same.Overridable != c.Overridable {
			continue
		}
		same.Keys = append(same.Keys, key)
		if !slices.Contains(strings.Split(same.Advice, adviceSeparator), c.Advice) {
			same.Advice += adviceSeparator + c.Advice
		}
		return list
	}
	c.Keys = []string{key}
	return append(list, c)
}

const adviceSeparator = "; "

// set reports whether a value does anything. An empty text does where the key overrides:
// it takes away what the child was given.
func (k key) set(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v || !k.Switch && k.Effect.overrides()
	case string:
		if k.Switch {
			return !off(v)
		}
		return (v != "" || k.Effect.overrides()) && (k.Unless == "" || v != k.Unless)
	default:
		return !k.Switch || !off(fmt.Sprint(v))
	}
}

// leaves yields the dotted names of everything that is no set of keys itself, in the
// order of the names: a report is the same each time.
func leaves(prefix string, document map[string]any, depth int) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) { walk(prefix, document, depth, yield) }
}

func walk(prefix string, document map[string]any, depth int, yield func(string, any) bool) bool {
	for _, key := range slices.Sorted(maps.Keys(document)) {
		name := prefix + key
		if inner, ok := document[key].(map[string]any); ok {
			if depth > 1 && !walk(name+".", inner, depth-1, yield) {
				return false
			}
			continue
		}
		if !yield(name, document[key]) {
			return false
		}
	}
	return true
}

// parseSettings returns what a file holds, or the problem with it: never a word of the
// file, which could be a secret.
func parseSettings(format string, text []byte) (document map[string]any, problem string) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // editors on Windows put it there
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, ""
	}
	if format == "toml" {
		return parseTOML(text)
	}
	err := json.Unmarshal(text, &document)
	if err == nil {
		return document, ""
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return nil, fmt.Sprintf("it is not JSON: see line %d", 1+bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n")))
	}
	return nil, "it is JSON, but not an object"
}

func parseTOML(text []byte) (document map[string]any, problem string) {
	err := toml.Unmarshal(text, &document)
	if err == nil {
		return document, ""
	}
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := at.Position()
		return nil, fmt.Sprintf("it is not TOML: see line %d", line)
	}
	return nil, "it is not TOML"
}
