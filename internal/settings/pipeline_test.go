package settings

import (
	"os"
	"path/filepath"
	"testing"
)

// A change from a fork is known by what GitHub and GitLab say of it; what cannot be read is none.
func TestFromFork(t *testing.T) {
	event := func(text string) string {
		path := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "GITHUB_EVENT_PATH=" + path
	}
	for name, c := range map[string]struct {
		env  Environment
		fork bool
	}{
		"nothing is said":         {nil, false},
		"a push":                  {Environment{event(`{"ref": "refs/heads/main"}`)}, false},
		"a branch of the same":    {Environment{event(`{"pull_request": {"head": {"repo": {"full_name": "us/tool"}}, "base": {"repo": {"full_name": "us/tool"}}}}`)}, false},
		"a fork":                  {Environment{event(`{"pull_request": {"head": {"repo": {"full_name": "them/tool"}}, "base": {"repo": {"full_name": "us/tool"}}}}`)}, true},
		"a fork that is gone":     {Environment{event(`{"pull_request": {"head": {"repo": null}, "base": {"repo": {"full_name": "us/tool"}}}}`)}, true},
		"not JSON":                {Environment{event(`pull_request`)}, false},
		"another shape":           {Environment{event(`{"pull_request": ["head"]}`)}, false},
		"no such file":            {Environment{"GITHUB_EVENT_PATH=" + filepath.Join(t.TempDir(), "none")}, false},
		"GitLab, of the same":     {Environment{"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=us/tool", "CI_MERGE_REQUEST_PROJECT_PATH=us/tool", "CI_PROJECT_PATH=us/tool"}, false},
		"GitLab, a fork":          {Environment{"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=them/tool", "CI_MERGE_REQUEST_PROJECT_PATH=us/tool", "CI_PROJECT_PATH=us/tool"}, true},
		"GitLab, run in the fork": {Environment{"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=them/tool", "CI_MERGE_REQUEST_PROJECT_PATH=us/tool", "CI_PROJECT_PATH=them/tool"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.env.FromFork(); got != c.fork {
				t.Errorf("from a fork: %t", got)
			}
		})
	}
}
