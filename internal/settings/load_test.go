package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/settings"
)

// load loads three layers: the text of a config.yaml, variables and a command line. FILE in
// what comes out is the file's path.
func load(t *testing.T, file string, variables []string, args ...string) (settings.Settings, []string) {
	t.Helper()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	settings.CommonFlags(flags)
	flags.String("browser", "", "")
	flags.Bool("no-browser", false, "")
	flags.Bool("device", false, "")
	flags.Bool("locked", false, "a flag of one command is not a setting")
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	env, path := home(t, file)
	s, err := settings.Load(flags, append(env, variables...))
	mistakes, _ := err.(settings.Mistakes)
	if err != nil && mistakes == nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range mistakes {
		lines = append(lines, strings.ReplaceAll(m, path, "FILE"))
	}
	return s, lines
}

// home is the environment of someone with a config.yaml, and the path of that.
func home(t *testing.T, file string) (settings.Environment, string) {
	t.Helper()
	env := settings.Environment{"XDG_CONFIG_HOME=" + t.TempDir()}
	path := env.ConfigFile()
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return env, path
}

// Each kind of value comes from each layer, and a later layer overrides an earlier one, key
// by key.
func TestLayers(t *testing.T) {
	file := "server: filed\nno_input: true\ntrust_host: [a.example, b.example]\nprogram: one\n"
	variables := []string{"AMBIT_SERVER=named", "AMBIT_NO_INPUT=0", "AMBIT_TRUST_HOST=c.example,d.example e.example"}
	flags := []string{"--server=flagged", "--no-input", "--trust-host=f.example", "--trust-host=g.example,h.example"}
	for name, c := range map[string]struct {
		file      string
		variables []string
		flags     []string
		want      settings.Settings
	}{
		"nothing": {},
		"the file": {file: file, want: settings.Settings{
			Server: "filed", NoInput: true, TrustHost: []string{"a.example", "b.example"}, Programs: []string{"one"},
		}},
		"variables": {variables: variables, want: settings.Settings{
			Server: "named", TrustHost: []string{"c.example", "d.example", "e.example"},
		}},
		"flags": {flags: flags, want: settings.Settings{
			Server: "flagged", NoInput: true, TrustHost: []string{"f.example", "g.example", "h.example"},
		}},
		"variables over the file": {file: file, variables: variables, want: settings.Settings{
			Server: "named", TrustHost: []string{"c.example", "d.example", "e.example"}, Programs: []string{"one"},
		}},
		"flags over both": {file: file, variables: variables, flags: flags, want: settings.Settings{
			Server: "flagged", NoInput: true, TrustHost: []string{"f.example", "g.example", "h.example"}, Programs: []string{"one"},
		}},
		"a flag that says no": {file: file, flags: []string{"--no-input=false", "--server="}, want: settings.Settings{
			TrustHost: []string{"a.example", "b.example"}, Programs: []string{"one"},
		}},
		"every word and bool of the file": {
			file: "account: a\nmanifest: m\noutput: json\nstore: memory\nca_file: c\ncolor: never\nverbose: true\nlog_file: l\nbrowser: b\napi_key_file: k\n",
			want: settings.Settings{Account: "a", Manifest: "m", Output: "json", Store: "memory", CAFile: "c", Color: "never", Verbose: true, LogFile: "l", Browser: "b", APIKeyFile: "k"},
		},
		"every word and bool of the variables": {
			variables: []string{"AMBIT_ACCOUNT=a", "AMBIT_MANIFEST=m", "AMBIT_PROGRAM=one,two", "AMBIT_OUTPUT=sarif", "AMBIT_STORE=file", "AMBIT_CA_FILE=c", "AMBIT_COLOR=auto", "AMBIT_VERBOSE=1", "AMBIT_LOG_FILE=l", "AMBIT_NO_BROWSER=true", "AMBIT_API_KEY_FILE=k"},
			want:      settings.Settings{Account: "a", Manifest: "m", Programs: []string{"one", "two"}, Output: "sarif", Store: "file", CAFile: "c", Color: "auto", Verbose: true, LogFile: "l", NoBrowser: true, APIKeyFile: "k"},
		},
		"what sets nothing": {
			file:      "# store: file\nstore:\ntrust_host:\n",
			variables: []string{"AMBIT_STORE=", "AMBIT_API_KEY=secret", "AMBIT_LEASE=x", "AMBIT_locked=1", "AMBIT_server=x", "SERVER=x", "AMBIT_NO-INPUT=1"},
			flags:     []string{"--locked"},
		},
		"only comments": {file: "# nothing yet\n\n"},
	} {
		got, mistakes := load(t, c.file, c.variables, c.flags...)
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(got), cmpopts.EquateEmpty()); diff != "" || mistakes != nil {
			t.Errorf("%s: %q\n%s", name, mistakes, diff)
		}
	}
}

// Where a value came from is what a message about it begins with.
func TestOrigin(t *testing.T) {
	s, _ := load(t, "# mine\nserver: a\nstore: file\ncolor: never\n", []string{"AMBIT_STORE=memory", "AMBIT_COLOR=auto", "AMBIT_CA_FILE=c"},
		"--color=always", "--trust-host=a.example", "-o", "json")
	for key, want := range map[string]string{
		"server": "config.yaml:2: server", "store": "AMBIT_STORE", "ca_file": "AMBIT_CA_FILE",
		"color": "--color", "trust_host": "--trust-host", "output": "--output", "log_file": "",
	} {
		if got := s.Origin(key); filepath.Base(got) != filepath.Base(want) {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
		if got, want := s.FromFlag(key), strings.HasPrefix(want, "--"); got != want {
			t.Errorf("%s comes from a flag: %t", key, got)
		}
	}
}

// Two settings that exclude each other: the later layer overrides the other one, and only
// two flags are a mistake.
func TestContradictions(t *testing.T) {
	for name, c := range map[string]struct {
		file             string
		variables, flags []string
		output, browser  string
		noBrowser        bool
		mistake          string
	}{
		"json alone":                   {flags: []string{"--json"}, output: "json"},
		"json twice":                   {flags: []string{"--json", "-o", "json"}, output: "json"},
		"json not asked for":           {flags: []string{"--json=false", "-o", "text"}, output: "text"},
		"a flag over the file":         {file: "output: text", flags: []string{"--json"}, output: "json"},
		"a flag over a variable":       {variables: []string{"AMBIT_JSON=1"}, flags: []string{"-o", "text"}, output: "text"},
		"two variables":                {variables: []string{"AMBIT_JSON=1", "AMBIT_OUTPUT=text"}, output: "json"},
		"two flags":                    {flags: []string{"-o", "text", "--json"}, output: "text", mistake: "--json and --output exclude each other"},
		"no browser over the file":     {file: "browser: b", flags: []string{"--no-browser"}, noBrowser: true},
		"a browser over a variable":    {variables: []string{"AMBIT_NO_BROWSER=1"}, flags: []string{"--browser=b"}, browser: "b"},
		"both in the file":             {file: "browser: b\nno_browser: true", noBrowser: true},
		"a variable over the file":     {file: "no_browser: true", variables: []string{"AMBIT_BROWSER=b"}, browser: "b"},
		"two flags about the browser":  {flags: []string{"--browser=b", "--no-browser"}, browser: "b", mistake: "--no-browser and --browser exclude each other"},
		"an empty browser":             {file: "no_browser: true", flags: []string{"--browser="}, noBrowser: true},
		"no browser taken back":        {file: "browser: b", flags: []string{"--no-browser=false"}, browser: "b"},
		"the same words, not compared": {flags: []string{"--browser=json", "-o", "json"}, output: "json", browser: "json"},
	} {
		s, mistakes := load(t, c.file, c.variables, c.flags...)
		if s.Output != c.output || s.Browser != c.browser || s.NoBrowser != c.noBrowser || strings.Join(mistakes, "|") != c.mistake {
			t.Errorf("%s: output %q, browser %q, no browser %t, %q", name, s.Output, s.Browser, s.NoBrowser, mistakes)
		}
	}
}

// So do the ways to log in: a code for another device, a browser, a URL.
func TestDeviceExcludes(t *testing.T) {
	for name, c := range map[string]struct {
		file              string
		variables, flags  []string
		browser           string
		noBrowser, device bool
		mistake           string
	}{
		"a device over the file":      {file: "browser: b", flags: []string{"--device"}, device: true},
		"and over a variable":         {variables: []string{"AMBIT_NO_BROWSER=1"}, flags: []string{"--device"}, device: true},
		"a browser over a variable":   {variables: []string{"AMBIT_DEVICE=1"}, flags: []string{"--browser=b"}, browser: "b"},
		"no browser over the file":    {file: "device: true", flags: []string{"--no-browser"}, noBrowser: true},
		"all three in the file":       {file: "browser: b\nno_browser: true\ndevice: true", device: true},
		"two flags":                   {flags: []string{"--device", "--no-browser"}, noBrowser: true, mistake: "--device and --no-browser exclude each other"},
		"two flags, one of a browser": {flags: []string{"--device", "--browser=b"}, browser: "b", mistake: "--device and --browser exclude each other"},
		"taken back":                  {variables: []string{"AMBIT_DEVICE=1"}, flags: []string{"--device=false", "--browser=b"}, browser: "b"},
	} {
		s, mistakes := load(t, c.file, c.variables, c.flags...)
		if s.Device != c.device || s.Browser != c.browser || s.NoBrowser != c.noBrowser || strings.Join(mistakes, "|") != c.mistake {
			t.Errorf("%s: device %t, browser %q, no browser %t, %q", name, s.Device, s.Browser, s.NoBrowser, mistakes)
		}
	}
}

// Every mistake in every layer is told, with its place and the allowed words; what is right
// is loaded beside it.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		file             string
		variables, flags []string
		want             []string
	}{
		"words of each layer": {
			file: "store: fil", variables: []string{"AMBIT_STORE=memry", "AMBIT_COLOR=blue", "AMBIT_VERBOSE=maybe"}, flags: []string{"--store", "keyrng"},
			want: []string{
				`FILE:1:8: unknown store "fil" (allowed: keyring, file, memory, exec:NAME); did you mean "file"?`,
				`AMBIT_COLOR: unknown word "blue" (allowed: auto, always, never)`,
				`--store: unknown word "keyrng" (allowed: keyring, file, memory, exec:NAME); did you mean "keyring"?`,
				`AMBIT_VERBOSE is true or false, not "maybe"`,
			},
		},
		"an account":                        {variables: []string{"AMBIT_ACCOUNT=a\x1b[2J"}, want: []string{`AMBIT_ACCOUNT has 1 to 100 printable characters, not "a\x1b[2J"`}},
		"a flag is the way past a variable": {variables: []string{"AMBIT_STORE=fil", "AMBIT_VERBOSE=maybe"}, flags: []string{"--store=file", "-v"}},
		"keys of the file": {
			file: "colour: never\njson: true\nstore: file\nstore: memory\nno-input: true\n",
			want: []string{
				`FILE:1:1: unknown key "colour" in the file (allowed: ` + keys + `); did you mean "color"?`,
				`FILE:2:1: unknown key "json" in the file (allowed: ` + keys + `)`,
				`FILE:4:1: "store" appears twice in the file`,
				`FILE:5:1: unknown key "no-input" in the file (allowed: ` + keys + `); did you mean "no_input"?`,
			},
		},
		"kinds of value of the file": {
			file: "server: [a]\nno_input:\nverbose: \"true\"\nprogram: 5\ntrust_host:\n  - a.example\n  - 443\n  - {a: b}\nlog_file: ''\n",
			want: []string{
				"FILE:1:9: server is text, not a list",
				"FILE:2:1: no_input is true or false, not nothing",
				`FILE:3:10: verbose is true or false, not the text "true"`,
				"FILE:4:10: program is text, not the number 5: put it between quotes",
				"FILE:7:5: trust_host is text, not the number 443: put it between quotes",
				"FILE:8:5: trust_host is text, not a set of keys",
				"FILE:9:11: log_file is empty",
			},
		},
		"a list":        {file: "- server", want: []string{"FILE:1:1: the file is a set of keys, not a list"}},
		"not YAML":      {file: "color: never\n\tstore: file\n", want: []string{"FILE:2:1: a tab indents this line; YAML allows only spaces there"}},
		"an alias":      {file: "server: &a us\nstore: *a\n", want: []string{"FILE:1:9: anchors and aliases are not allowed here: write it out", "FILE:2:8: anchors and aliases are not allowed here: write it out"}},
		"two documents": {file: "output: json\n---\noutput: text\n", want: []string{"FILE:2:1: a second document begins here; one file holds one"}},
		"too large":     {file: "# " + strings.Repeat("x", 1<<20), want: []string{"read FILE: it is larger than 1048576 bytes"}},
	} {
		_, mistakes := load(t, c.file, c.variables, c.flags...)
		if diff := cmp.Diff(c.want, mistakes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	s, _ := load(t, "output: json\nbogus: 1\n", []string{"AMBIT_STORE=fil"}, "--server=us")
	if s.Output != "json" || s.Server != "us" {
		t.Errorf("beside mistakes: %+v", s)
	}
}

const keys = "account, api_key_file, browser, ca_file, color, device, log_file, manifest, no_browser, no_input, output, program, server, store, trust_host, verbose"

// How to tell of a mistake is known although the command line has one.
func TestGuess(t *testing.T) {
	for line, want := range map[string]string{
		"plan --bogus": "filed", "plan --json --bogus": "json", "--json plan --bogus": "json", "plan --bogus --json": "json",
		"plan --json=true --bogus": "json", "plan --json=false --bogus": "filed", "plan --json=x --bogus": "filed",
		"plan --bogus -o json": "json", "plan --bogus -ojson": "json", "plan --bogus -o=json": "json", "plan -vojson --bogus": "json",
		"token --min-ttl bogus --output=json": "json", "token --min-ttl --output json": "json", "login --help -o json": "json",
		"login -h -o json": "json", "plan --no-input=maybe -o json": "json", "plan --store fil -o json": "json", "plan -o": "filed",
		"run --bogus -- tool --json": "filed", "run --bogus -- tool -o json": "filed", "plan -x 1 -y --json": "json", "": "filed",
	} {
		env, _ := home(t, "output: filed\nbogus: 1\n")
		if got := settings.Guess(strings.Fields(line), env).Output; got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	env, _ := home(t, "output: filed")
	if got := settings.Guess([]string{"plan", "--bogus"}, append(env, "AMBIT_JSON=1", "AMBIT_STORE=fil")).Output; got != "json" {
		t.Errorf("of a variable: %q", got)
	}
}

// What a file or a variable holds reaches a terminal escaped; so does the name of the file.
func TestMistakesAreFitForATerminal(t *testing.T) {
	_, mistakes := load(t, "\"\\e[2J\": 1\nserver: !<\\e[2J> x\n", []string{"AMBIT_STORE=\x1b[2J\n"})
	if len(mistakes) < 2 || strings.ContainsAny(strings.Join(mistakes, ""), "\x1b\n") {
		t.Errorf("%q", mistakes)
	}
	odd, _ := filepath.Abs("a\x00\x1b\n") // no system opens that
	_, err := settings.Load(&pflag.FlagSet{}, settings.Environment{"XDG_CONFIG_HOME=" + odd})
	if err == nil || strings.ContainsAny(err.Error(), "\x00\x1b\n") {
		t.Errorf("%q", err)
	}
}

// A file that cannot be read is not passed over.
func TestUnreadableFile(t *testing.T) {
	env, path := home(t, "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := settings.Load(&pflag.FlagSet{}, env); err == nil || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("a directory for a file: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := settings.Load(&pflag.FlagSet{}, env); err != nil {
		t.Errorf("no file: %v", err)
	}
}
