package settings

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// An Environment is the process's environment as a value, so that a test can have
// its own.
type Environment []string

// Lookup is the value of a variable, and whether it is set.
func (e Environment) Lookup(name string) (string, bool) {
	for _, pair := range slices.Backward(e) {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value, true
		}
	}
	return "", false
}

// Get is the value of a variable; "" where it is not set.
func (e Environment) Get(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// InCI reports whether a machine works through a pipeline here. CI is set to true by all
// that set it; whoever sets it to false or 0 says that it is none.
func (e Environment) InCI() bool {
	value := e.Get("CI")
	yes, err := strconv.ParseBool(value)
	return yes || err != nil && value != ""
}

// UTF8 reports whether a terminal shows more than ASCII. Where no locale is named, as in most
// containers, it does: the terminal is another machine's.
func (e Environment) UTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} { // POSIX §8.2
		if value := strings.ToUpper(e.Get(name)); value != "" {
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return true
}

// The directories of the XDG base directory specification; on other systems their
// own. Each is "" where the system names none.

// ConfigDir is the directory of what the user set.
func (e Environment) ConfigDir() string {
	return e.directory("XDG_CONFIG_HOME", os.UserConfigDir, ".config")
}

// CacheDir is the directory of what can be had again.
func (e Environment) CacheDir() string {
	return e.directory("XDG_CACHE_HOME", os.UserCacheDir, ".cache")
}

// StateDir is the directory of credentials and locks.
func (e Environment) StateDir() string {
	return e.directory("XDG_STATE_HOME", os.UserConfigDir, ".local", "state")
}

func (e Environment) directory(variable string, system func() (string, error), home ...string) string {
	if dir := e.Get(variable); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ambit")
	}
	if onXDG {
		if dir := e.Get("HOME"); filepath.IsAbs(dir) {
			return filepath.Join(append(append([]string{dir}, home...), "ambit")...)
		}
		return "" // never the directory in which someone happens to stand
	}
	dir, err := system()
	if err != nil || !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Join(dir, "ambit")
}

// ConfigFile is the user's config.yaml; "" where there is no directory for it.
func (e Environment) ConfigFile() string {
	if dir := e.ConfigDir(); dir != "" {
		return filepath.Join(dir, "config.yaml")
	}
	return ""
}
