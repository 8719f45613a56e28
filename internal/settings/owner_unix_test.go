//go:build unix

package settings_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// config.yaml can name a host to trust, certificates and a program to run: one that somebody else can
// write or replace is not obeyed, by root neither.
func TestConfigFileOfOthers(t *testing.T) {
	const other = 1234
	for name, c := range map[string]struct {
		change func(path string) error
		wants  string // "" where it is obeyed
	}{
		"mine":           {func(string) error { return nil }, ""},
		"another's":      {func(path string) error { return os.Chown(path, other, other) }, "belongs to another user (user id 1234"},
		"for all":        {func(path string) error { return os.Chmod(path, 0o666) }, "open to other users (mode 0666)"},
		"for a group":    {func(path string) error { return os.Chmod(path, 0o620) }, "open to other users (mode 0620)"},
		"a folder":       {func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) }, "who could replace"},
		"their folder":   {func(path string) error { return os.Chown(filepath.Dir(path), other, other) }, "belongs to another user"},
		"a link":         {func(path string) error { return linked(path, 0o600, os.Geteuid()) }, ""},
		"a link to all":  {func(path string) error { return linked(path, 0o666, os.Geteuid()) }, "open to other users (mode 0666)"},
		"a link to them": {func(path string) error { return linked(path, 0o600, other) }, "belongs to another user"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(c.wants, "belongs") {
				testkit.AsRoot(t)
			}
			env, path := home(t, "trust_host: evil.example\nca_file: /evil.pem\nbrowser: evil\n")
			if err := c.change(path); err != nil {
				t.Fatal(err)
			}
			flags := pflag.NewFlagSet("", pflag.ContinueOnError)
			settings.CommonFlags(flags)
			flags.String("browser", "", "")
			s, err := settings.Load(flags, env)
			obeyed := len(s.TrustHost) > 0 || s.CAFile != "" || s.Browser != ""
			if obeyed != (c.wants == "") || obeyed && err != nil || !obeyed && (err == nil || !strings.Contains(err.Error(), c.wants)) {
				t.Errorf("%+v, %v; want %q", s, err, c.wants)
			}
		})
	}
}

// linked puts a link in the file's place, to one that holds the same.
func linked(path string, mode os.FileMode, owner int) error {
	target := filepath.Join(filepath.Dir(filepath.Dir(path)), "elsewhere")
	return errors.Join(os.Rename(path, target), os.Chmod(target, mode), os.Chown(target, owner, -1), os.Symlink(target, path))
}
