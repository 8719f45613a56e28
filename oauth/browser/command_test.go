package browser

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	dir := t.TempDir()
	chrome := filepath.Join(dir, "Program Files", "chrome.exe")
	colon := filepath.Join(dir, "a:b")
	if err := os.MkdirAll(filepath.Dir(chrome), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{chrome, colon} {
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Skip("this system has no such names: " + err.Error())
		}
	}
	const url = "https://auth.example.com/a?b=c&d=%20$HOME"
	for value, want := range map[string][][]string{
		"firefox":                             {{"firefox", url}},
		"firefox -P 'my work'":                {{"firefox", "-P", "my work", url}},
		"first:second -x:'third a:b'":         {{"first", url}, {"second", "-x", url}, {"third a:b", url}},
		":first::":                            {{"first", url}},
		"mybrowser --url=%s":                  {{"mybrowser", "--url=https://auth.example.com/a?b=c&d=%20%24HOME"}},
		"mybrowser %s --new":                  {{"mybrowser", url, "--new"}},
		"mybrowser %s &":                      {{"mybrowser", url}},
		"firefox&":                            {{"firefox", url}},
		"mybrowser --zoom=50%%":               {{"mybrowser", "--zoom=50%", url}},
		"mybrowser %%s %s":                    {{"mybrowser", "%s", url}},
		"mybrowser --proxy=http://x -a:other": {{"mybrowser", "--proxy=http://x", "-a", url}, {"other", url}},
		chrome:                                {{chrome, url}},
		chrome + " --new-window %s":           {{chrome, "--new-window", url}},
		"'" + chrome + "' -x":                 {{chrome, "-x", url}},
		`"` + chrome + `"`:                    {{chrome, url}},
		"first:" + chrome:                     {{"first", url}, {chrome, url}},
		colon:                                 {{colon, url}},
	} {
		var got [][]string
		for _, command := range commandsOf(value) {
			words, err := wordsOf(command, url)
			if err != nil {
				t.Errorf("%s: %v", value, err)
			}
			got = append(got, words)
		}
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// A server may not put a command into what a shell reads.
func TestURLInAShell(t *testing.T) {
	words, err := wordsOf(`sh -c 'firefox "%s"'`, "https://x.example/$(id)`id`\";id|id'")
	if err != nil || len(words) != 3 || strings.ContainsAny(strings.TrimSuffix(strings.TrimPrefix(words[2], `firefox "`), `"`), "$`\"();|'") {
		t.Errorf("%q, %v", words, err)
	}
}
