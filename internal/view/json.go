package view

import (
	"encoding/json"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes"
)

// A stepJSON is one thing to do, in every JSON of ours.
type stepJSON struct {
	Text    string `json:"text"`
	Command string `json:"command"`
	URL     string `json:"url"`
}

func stepsOf(steps []advice.Step) []stepJSON {
	list := make([]stepJSON, len(steps))
	for i, s := range steps {
		list[i] = stepJSON(s)
	}
	return list
}

type missingJSON struct {
	Required    []string `json:"required"`
	Recommended []string `json:"recommended"`
	Optional    []string `json:"optional"`
}

type coverageJSON struct {
	Scope string `json:"scope"`
	By    string `json:"by"`
}

func coveragesOf(covered []scopes.Coverage) []coverageJSON {
	list := make([]coverageJSON, len(covered))
	for i, c := range covered {
		list[i] = coverageJSON(c)
	}
	return list
}

type conflictJSON struct {
	Path        string         `json:"path"`
	Source      string         `json:"source"`
	Keys        []string       `json:"keys"`
	Effect      profile.Effect `json:"effect,omitempty"`
	Overrides   bool           `json:"overrides"`
	Overridable bool           `json:"overridable,omitempty"`
	Overridden  bool           `json:"overridden,omitempty"`
	Problem     string         `json:"problem,omitempty"`
	Advice      string         `json:"advice,omitempty"`
}

func conflictsOf(conflicts []profile.Conflict) []conflictJSON {
	list := make([]conflictJSON, len(conflicts))
	for i, c := range conflicts {
		list[i] = conflictJSON(c)
	}
	return list
}

// A Verdict is ambit.verdict/v1.
type Verdict struct{ diagnosis.Verdict }

type verdictJSON struct {
	Schema     string               `json:"schema"`
	OK         bool                 `json:"ok"` // false: there is no verdict on what went well
	Message    string               `json:"message"`
	Status     int                  `json:"status"`
	Method     string               `json:"method"`
	Base       string               `json:"base"`
	Path       string               `json:"path"`
	Tool       string               `json:"tool,omitempty"` // that was called on an MCP server
	Cause      diagnosis.Cause      `json:"cause"`
	Confidence diagnosis.Confidence `json:"confidence"`
	Missing    []string             `json:"missing"`
	NeededFor  map[string][]string  `json:"needed_for"`
	Why        map[string]string    `json:"why"`
	Level      scopes.Level         `json:"level"`
	Said       string               `json:"said"`
	Evidence   []string             `json:"evidence"`
	Possible   []string             `json:"possible,omitempty"` // of an unknown cause: what nothing rules out
	Conflicts  []conflictJSON       `json:"conflicts"`
	Next       []stepJSON           `json:"next"`
	Log        string               `json:"log"`
}

// MarshalJSON implements [json.Marshaler].
func (v Verdict) MarshalJSON() ([]byte, error) {
	return json.Marshal(verdictJSON{
		"ambit.verdict/v1", false, v.Message, v.Status, v.Method, v.Base, v.Path, v.Tool, v.Cause, v.Confidence, v.Missing, v.NeededFor, v.Why, v.Level,
		v.Said, v.Evidence, v.Possible, conflictsOf(v.Conflicts), stepsOf(v.Next), v.Log,
	})
}
