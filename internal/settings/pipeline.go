package settings

import (
	"encoding/json"
	"os"

	"github.com/ambit-auth/ambit/internal/files"
)

// maxEvent bounds what is read of the event of a workflow's run, in bytes.
const maxEvent = 4 << 20

// FromFork reports whether a pipeline runs for a change that comes from a fork: it gets none of the
// project's secrets then. GitHub says so in the event of the run, GitLab in variables.
func (e Environment) FromFork() bool {
	if source := e.Get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"); source != "" {
		return source != e.Get("CI_PROJECT_PATH") || source != e.Get("CI_MERGE_REQUEST_PROJECT_PATH")
	}
	path := e.Get("GITHUB_EVENT_PATH")
	if path == "" {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	type repository struct {
		Repo struct {
			FullName string `json:"full_name"`
		} `json:"repo"`
	}
	var event struct {
		PullRequest struct {
			Head, Base repository
		} `json:"pull_request"`
	}
	if json.Unmarshal(files.Head(f, maxEvent), &event) != nil {
		return false
	}
	head, base := event.PullRequest.Head.Repo.FullName, event.PullRequest.Base.Repo.FullName
	return base != "" && head != base
}
