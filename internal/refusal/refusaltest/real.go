package refusaltest

import (
	_ "embed" // the refusals
	"encoding/json"
	"net/http"
	"testing"

	"github.com/ambit-auth/ambit/internal/refusal"
)

// refusals are those of real services, from their documentation, their source and reports.
// What was personal in them is made up.
//
//go:embed refusals.json
var refusals []byte

// A Real refusal is one that a service sends, and what it means.
type Real struct {
	Service     string
	Case        string
	Means       string // missing_scope, expired, invalid, wrong_kind, role, plan, policy, not_shared, rate_limit, other
	Status      int
	Headers     map[string]string
	ContentType string `json:"content_type"`
	Body        string

	Missing   []string // scopes that it names as missing
	AnyOf     bool     `json:"any_of"`     // one of them is enough
	HeldNamed []string `json:"held_named"` // scopes that it names as held
}

// Reals are the refusals of real services.
func Reals(t testing.TB) []Real {
	t.Helper()
	var list []Real
	if err := json.Unmarshal(refusals, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Response is what the service sent.
func (r Real) Response() refusal.Response {
	resp := refusal.Response{Status: r.Status, Header: make(http.Header), Body: []byte(r.Body)}
	for name, value := range r.Headers {
		resp.Header.Set(name, value)
	}
	if r.ContentType != "" {
		resp.Header.Set("Content-Type", r.ContentType)
	}
	return resp
}
