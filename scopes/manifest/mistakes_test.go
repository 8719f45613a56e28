package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

func yamlFiles(t *testing.T, directory string) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/" + directory + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/%s: %v", directory, err)
	}
	return files
}

func decodeFile(t *testing.T, file string) (*manifest.Manifest, error) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return manifest.Decode(filepath.ToSlash(file), text, os.ReadFile)
}

// Each file of testdata/mistakes is refused with the lines of the .out beside it.
func TestMistakes(t *testing.T) {
	for _, file := range yamlFiles(t, "mistakes") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m, err := decodeFile(t, file)
			var mistakes yamlfile.Mistakes
			if !errors.As(err, &mistakes) || m != nil {
				t.Fatalf("Decode = %v, %v; want no manifest, and Mistakes", m, err)
			}
			var out strings.Builder
			for _, one := range mistakes {
				fmt.Fprintf(&out, "%v [%s]\n", one, one.Kind)
			}
			text := strings.ReplaceAll(out.String(), strings.Join(provider.BuiltinNames(), ", "), "BUILT-IN PROVIDERS")
			testkit.Golden(t, strings.TrimSuffix(file, ".yaml")+".out", text)
		})
	}
}

// The corpus shows every kind of mistake that there is.
func TestMistakesShowEveryKind(t *testing.T) {
	var shown []yamlfile.MistakeKind
	for _, file := range yamlFiles(t, "mistakes") {
		_, err := decodeFile(t, file)
		var mistakes yamlfile.Mistakes
		errors.As(err, &mistakes)
		for _, one := range mistakes {
			shown = append(shown, one.Kind)
		}
	}
	for _, kind := range []yamlfile.MistakeKind{
		yamlfile.BadYAML, yamlfile.BadSize, yamlfile.BadVersion, yamlfile.UnknownKey, yamlfile.MissingKey, yamlfile.DuplicateKey,
		yamlfile.BadType, yamlfile.BadValue, yamlfile.BadScope, yamlfile.BadUse, yamlfile.ImplyCycle, yamlfile.BadProvider,
	} {
		if !slices.Contains(shown, kind) {
			t.Errorf("no file of testdata/mistakes shows a mistake of kind %q", kind)
		}
	}
}

func TestGoodFilesDecode(t *testing.T) {
	for _, file := range yamlFiles(t, "good") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if _, err := decodeFile(t, file); err != nil {
				t.Error(err)
			}
		})
	}
}

// The error of a provider that stands alone is nil or Mistakes, never a value with both.
func TestDecodeProviderAlone(t *testing.T) {
	for file, good := range map[string]bool{"plain": true, "broken": false, "cycle": false, "chain": false} {
		path := "testdata/mistakes/providers/" + file + ".yaml"
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := provider.Decode(path, text)
		if (err == nil) != good || (p != nil) != good {
			t.Errorf("%s: provider %v, error %v", file, p != nil, err)
		}
		if good && (p.Name != path || p.File != path) {
			t.Errorf("%s: Name %q, File %q, want the path", file, p.Name, p.File)
		}
	}
}

func TestBuiltinProviders(t *testing.T) {
	names := provider.BuiltinNames()
	if !slices.IsSorted(names) || len(names) == 0 {
		t.Fatalf("BuiltinProviders() = %v, want some, sorted", names)
	}
	for _, name := range names {
		if _, err := provider.Builtin(name); err != nil {
			t.Errorf("the built-in provider %s has mistakes:\n%v", name, err)
		}
	}
	if _, err := provider.Builtin("posthgo"); err == nil || !strings.Contains(err.Error(), `did you mean "posthog"?`) {
		t.Errorf("an unknown provider: %v, want the near one named", err)
	}
}
