package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// Members of a provider file that people read, or that other tests compare: a deletion among them is no change of
// what ambit does with the service. The table of scopes is compared with that of docs/providers.md.
var proseMembers = []string{"about", "advice", "cannot_tell", "create", "label", "link", "starter", "table"}

// A status alone makes no difference where the body tells: TestExchangesShowTheFile wants an exchange with each.
var shownOtherwise = []string{"status"}

// likely are words in the path of a fact, and in the names of the scenarios that are played first for it.
var likely = [][2]string{{"implies", "implied"}, {".env", "variables"}, {".usable", "kinds"}, {".programs", "kinds"}, {"errors", "refused"}, {".inspect", "inspect"}}

// unshowable are facts that no exchange can show, by the beginnings of their paths, and why. They are not tried.
var unshowable = []struct{ path, why string }{
	{"client.redirect.ports[", "which of several ports is free is chance"},
	{"scopes.special", "no command that asks a service reads it: it is for audits of discovery documents"},
}

// TestEveryFactIsShown takes each fact out of each built-in provider file in turn, and wants some scenario of the
// provider to fail for it. It takes half an hour, so it is asked for: AMBIT_TEST_FACTS=all, or the names of
// providers with commas.
func TestEveryFactIsShown(t *testing.T) {
	asked := os.Getenv("AMBIT_TEST_FACTS")
	if asked == "" {
		t.Skip("AMBIT_TEST_FACTS=all takes each fact out in turn")
	}
	if runtime.GOOS == "windows" {
		t.Skip("a program that runs cannot be written there")
	}
	var all, kept atomic.Int64
	t.Cleanup(func() { t.Logf("%d facts, %d of them shown by no exchange", all.Load(), kept.Load()) })
	for _, name := range provider.BuiltinNames() {
		if asked != "all" && !slices.Contains(strings.Split(asked, ","), name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := newLaboratory(t, name)
			if by := lab.noticed(t, nil); by != "" {
				t.Fatalf("%s fails with every fact in its place", by)
			}
			facts := slices.DeleteFunc(factsOf(lab.file.Content[0], ""), fact.unshowable)
			all.Add(int64(len(facts)))
			for _, f := range facts {
				if lab.noticed(t, &f) == "" {
					kept.Add(1)
					t.Errorf("no exchange shows %s", f)
				}
			}
		})
	}
}

// A fact is a member of a mapping without a mapping or a list in it, or an item of a list.
type fact struct {
	path   string
	parent *yaml.Node
	at     int // of parent.Content
	nodes  int // 2 for a member, 1 for an item
}

func (f fact) String() string {
	last := f.parent.Content[f.at+f.nodes-1]
	return fmt.Sprintf("line %d: %s: %s", last.Line, f.path, last.Value)
}

func (f fact) unshowable() bool {
	for _, known := range unshowable {
		if strings.HasPrefix(f.path, known.path) {
			return true
		}
	}
	return false
}

func factsOf(n *yaml.Node, path string) (list []fact) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i].Value, n.Content[i+1]
			member := strings.TrimPrefix(path+"."+key, ".")
			switch {
			case slices.Contains(proseMembers, key) || slices.Contains(shownOtherwise, key):
			case value.Kind == yaml.ScalarNode:
				list = append(list, fact{member, n, i, 2})
			default:
				list = append(list, factsOf(value, member)...)
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			path := fmt.Sprintf("%s[%d]", path, i)
			list = append(list, fact{path, n, i, 1})
			list = append(list, factsOf(item, path)...)
		}
	}
	return list
}

// A laboratory plays the scenarios of a provider with a copy of this program in which the provider's file, which is
// embedded, is another of the same length.
type laboratory struct {
	name      string
	file      *yaml.Node
	length    int   // of its text
	at        int64 // where it stands in the program
	program   string
	scenarios []string // those that notice most stand first
}

func newLaboratory(t *testing.T, name string) *laboratory {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(providerDir, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(code, text); n != 1 {
		t.Fatalf("%s.yaml stands in this program %d times", name, n)
	}
	scenarios, err := filepath.Glob(filepath.Join(providerDir, name, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	lab := &laboratory{name: name, file: new(yaml.Node), length: len(text), at: int64(bytes.Index(code, text)), program: filepath.Join(t.TempDir(), "ambit"), scenarios: scenarios}
	if err := yaml.Unmarshal(text, lab.file); err != nil {
		t.Fatal(err)
	}
	withoutComments(lab.file)
	lab.write(t, 0, code)
	return lab
}

func withoutComments(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, child := range n.Content {
		withoutComments(child)
	}
}

// noticed is the scenario that fails without the fact; "" for none. A file that cannot be read any more is noticed.
func (l *laboratory) noticed(t *testing.T, f *fact) string {
	t.Helper()
	text := l.without(t, f)
	if _, err := provider.Decode(l.name+".yaml", text); err != nil {
		return "the reader"
	}
	l.write(t, l.at, append(text, bytes.Repeat([]byte("\n"), l.length-len(text))...))
	if f != nil {
		l.likelyFirst(f.path)
	}
	for i, scenario := range l.scenarios {
		if trial := playTrial(stage{programs: filepath.Dir(l.program), limit: trialLimit}, scenario, new(atomic.Int64)); trial.failed.Load() {
			l.scenarios = slices.Insert(slices.Delete(l.scenarios, i, i+1), 0, scenario)
			return filepath.Base(scenario)
		}
	}
	return ""
}

func (l *laboratory) likelyFirst(path string) {
	for _, words := range likely {
		if strings.Contains(path, words[0]) {
			slices.SortStableFunc(l.scenarios, func(a, b string) int {
				return strings.Count(filepath.Base(b), words[1]) - strings.Count(filepath.Base(a), words[1])
			})
		}
	}
}

func (l *laboratory) without(t *testing.T, f *fact) []byte {
	t.Helper()
	if f != nil {
		all := f.parent.Content
		f.parent.Content = slices.Delete(slices.Clone(all), f.at, f.at+f.nodes)
		defer func() { f.parent.Content = all }()
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(l.file); err != nil {
		t.Fatal(err)
	}
	if text.Len() > l.length {
		t.Fatalf("%s.yaml grows by %d without its comments", l.name, text.Len()-l.length)
	}
	return text.Bytes()
}

// write writes a part of the program, while nothing is started: a child that has it open in the meantime would keep
// it from being run.
func (l *laboratory) write(t *testing.T, at int64, part []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	file, err := os.OpenFile(l.program, os.O_WRONLY|os.O_CREATE, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(part, at)
	if closing := file.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
}

// trialLimit ends a scenario that hangs without a fact: each of them takes a second or two.
const trialLimit = 20 * time.Second

// A trial is a test that may fail. What it says is for whoever comes after it.
type trial struct {
	failed atomic.Bool
	said   strings.Builder
}

func playTrial(on stage, scenario string, requests *atomic.Int64) *trial {
	t, done := new(trial), make(chan bool)
	go func() {
		defer close(done)
		playScenario(t, on, scenario, requests)
	}()
	<-done
	return t
}

func (t *trial) Skip(...any)                        { runtime.Goexit() }
func (t *trial) Fatal(args ...any)                  { t.Log(args...); t.FailNow() }
func (t *trial) Error(args ...any)                  { t.Log(args...); t.failed.Store(true) }
func (t *trial) Parallel()                          {}
func (t *trial) Log(args ...any)                    { fmt.Fprintln(&t.said, args...) }
func (t *trial) FailNow()                           { t.failed.Store(true); runtime.Goexit() }
func (t *trial) Run(_ string, f func(testscript.T)) { f(t) }
func (t *trial) Verbose() bool                      { return false }
