package settings_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ambit-auth/ambit/internal/settings"
)

func TestEnvironment(t *testing.T) {
	env := settings.Environment{"A=1", "A=2", "B="}
	if env.Get("A") != "2" || env.Get("C") != "" {
		t.Errorf("A is %q, C is %q", env.Get("A"), env.Get("C"))
	}
	if _, set := env.Lookup("B"); !set {
		t.Error("B is set, to nothing")
	}
	for value, want := range map[string]bool{"true": true, "1": true, "woodpecker": true, "false": false, "0": false, "": false} {
		if got := (settings.Environment{"CI=" + value}).InCI(); got != want {
			t.Errorf("CI=%s: %t", value, got)
		}
	}
}

// The XDG variables count everywhere; a path that is not absolute does not, and without a
// home there is no directory.
func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	env := settings.Environment{"XDG_CONFIG_HOME=" + dir, "XDG_CACHE_HOME=" + dir, "XDG_STATE_HOME=" + dir}
	for _, got := range []string{env.ConfigDir(), env.CacheDir(), env.StateDir(), filepath.Dir(env.ConfigFile())} {
		if got != filepath.Join(dir, "ambit") {
			t.Errorf("%q, want it in %q", got, dir)
		}
	}
	if runtime.GOOS != "linux" {
		t.Skip("the rest is Linux's")
	}
	env = settings.Environment{"HOME=/h", "XDG_STATE_HOME=state"}
	if env.ConfigFile() != "/h/.config/ambit/config.yaml" || env.CacheDir() != "/h/.cache/ambit" || env.StateDir() != "/h/.local/state/ambit" {
		t.Errorf("%q, %q, %q", env.ConfigFile(), env.CacheDir(), env.StateDir())
	}
	if env = (settings.Environment{"HOME=h"}); env.ConfigFile() != "" || env.StateDir() != "" {
		t.Errorf("without a home: %q, %q", env.ConfigFile(), env.StateDir())
	}
}
