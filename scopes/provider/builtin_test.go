package provider

import (
	"slices"
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

func readSoFar() []string {
	var names []string
	builtins.Range(func(name, _ any) bool {
		names = append(names, name.(string))
		return true
	})
	return names
}
