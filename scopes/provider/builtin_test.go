package provider

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A command that works with one provider reads the file of that one alone, however many are built in.
func TestBuiltinReadsWhatIsAskedFor(t *testing.T) {
	builtins.Clear()
	names := BuiltinNames()
	if read := readSoFar(); len(read) > 0 {
		t.Errorf("to list the names read %v", read)
	}
	if _, err := Builtin(names[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := Builtin("no-such-provider"); err == nil {
		t.Error("a name that nobody knows is one")
	}
	if read := readSoFar(); !slices.Equal(read, names[:1]) {
		t.Errorf("%v were read, and only %s was asked for", read, names[0])
	}
}

// People know a service by the name of its product, or of its owner.
func TestBuiltinByAnotherName(t *testing.T) {
	for word, meant := range map[string]string{"azure": "entra", "Microsoft": "entra", "jira": "atlassian", "gmail": "google", "outlook": "entra"} {
		if _, err := Builtin(word); err == nil || !strings.Contains(err.Error(), "did you mean \""+meant+"\"?") {
			t.Errorf("%s: %v", word, err)
		}
	}
	for _, word := range []string{"its", "of", "the", "bots", "From", "api", "ID", "oauth", ""} {
		if _, err := Builtin(word); err == nil || strings.Contains(err.Error(), "did you mean \"entra") || err != nil && strings.Contains(err.Error(), "did you mean \"atl") {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func readSoFar() []string {
	var names []string
	builtins.Range(func(name, _ any) bool {
		names = append(names, name.(string))
		return true
	})
	return names
}

// How a built-in service refuses is decoded when it is asked for, and nothing is lost by that.
func TestBuiltinIsItsWholeFile(t *testing.T) {
	for _, name := range BuiltinNames() {
		source, err := providerFiles.ReadFile(providerFolder + "/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		whole, err := Decode(name, source)
		if err != nil {
			t.Error(err)
			continue
		}
		p, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Voice().Refusals) == 0 || !reflect.DeepEqual(p.Voice(), whole.Voice()) {
			t.Errorf("%s refuses otherwise when it is asked later: %+v, not %+v", name, p.Voice(), whole.Voice())
		}
		rest := *p
		rest.File, rest.Service, rest.OwnWays, rest.OwnHosts = whole.File, whole.Service, whole.OwnWays, whole.OwnHosts
		if rest.voice, whole.voice = nil, nil; !reflect.DeepEqual(&rest, whole) {
			t.Errorf("%s is another provider: %+v, not %+v", name, rest, *whole)
		}
	}
}

// The members that are read later may stand anywhere, their lists in either style.
func TestApart(t *testing.T) {
	taken, rest := apart([]byte("# one: two\na: 1\nb:\n- c: 2\n\n- d\n# of e\ne: |\n  b: 3\nb: [4]\n"), "b")
	if string(taken) != "\n\nb:\n- c: 2\n\n- d\n# of e\n\n\nb: [4]\n" || string(rest) != "# one: two\na: 1\n\n\n\n\n\ne: |\n  b: 3\n\n" {
		t.Errorf("taken %q, the rest %q", taken, rest)
	}
}
