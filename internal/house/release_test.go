package house_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A releasing is what .goreleaser.yaml says about the builds.
type releasing struct {
	Builds []struct {
		Main    string
		Ldflags []string
		Goos    []string
		Goarch  []string
	}
	Archives []struct{ Files []string }
	Kos      []struct{ Platforms []string }
}

func readReleasing(t *testing.T) releasing {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var r releasing
	if err := yaml.Unmarshal(text, &r); err != nil || len(r.Builds) != 1 {
		t.Fatalf("%d builds: %v", len(r.Builds), err)
	}
	return r
}

// The program compiles on this machine's platform as on each of a release: AMBIT_TEST_PLATFORMS=all tries the
// others too, which takes minutes.
func TestReleasePlatforms(t *testing.T) {
	b := readReleasing(t).Builds[0]
	if !slices.Equal(b.Goos, []string{"linux", "darwin", "windows"}) || !slices.Equal(b.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("a release is for %q on %q", b.Goos, b.Goarch)
	}
	for _, system := range b.Goos {
		for _, architecture := range b.Goarch {
			if os.Getenv("AMBIT_TEST_PLATFORMS") != "all" && (system != runtime.GOOS || architecture != runtime.GOARCH) {
				continue
			}
			vet := exec.CommandContext(t.Context(), "go", "vet", b.Main)
			vet.Dir, vet.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture)
			if out, err := vet.CombinedOutput(); err != nil {
				t.Errorf("%s on %s: %v\n%s", system, architecture, err, out)
			}
		}
	}
}

// A release knows its version: what .goreleaser.yaml and the Containerfile set is a variable that there is,
// and the program prints it. The files that go into a package are there, or made by the hook.
func TestReleaseVersion(t *testing.T) {
	r := readReleasing(t)
	container, err := os.ReadFile(filepath.Join(root, "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	sets := regexp.MustCompile(`-X (\S+)=`)
	name := sets.FindStringSubmatch(r.Builds[0].Ldflags[0])
	if in := sets.FindStringSubmatch(string(container)); name == nil || in == nil || in[1] != name[1] {
		t.Fatalf(".goreleaser.yaml sets %q, the Containerfile %q", name, in)
	}
	run := exec.CommandContext(t.Context(), "go", "run", "-ldflags=-X "+name[1]+"=v9.9.9", r.Builds[0].Main, "version")
	run.Dir = root
	if out, err := run.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "ambit v9.9.9 ") {
		t.Errorf("the version of a release is %q (%v)", out, err)
	}
	for _, file := range r.Archives[0].Files {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil && !strings.HasPrefix(file, ".release/") {
			t.Errorf("an archive holds a file that is not there: %v", err)
		}
	}
}
