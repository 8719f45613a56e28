package agent_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/internal/refusal/refusaltest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// What a refusal names is missing, and what it says is in the evidence, however it is
// packed; the child has it byte for byte, unless it is told better.
func TestRefusalsAreRead(t *testing.T) {
	for _, c := range refusaltest.Cases() {
		s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range c.Response.Header {
				w.Header()[name] = values
			}
			w.WriteHeader(c.Response.Status)
			_, _ = w.Write(c.Response.Body)
		})
		l := lend(t, "", &source{current: key("phx_real", "user:read")}, func(cfg *agent.Config) {
			cfg.Provider, cfg.Needs = refusaltest.Provider(t), nil
			cfg.Server = provider.Server{Name: "here", Bases: []provider.Base{{Name: "api", URL: s.URL}}}
		})
		got := l.send("GET", "api", "/things/", "", bearer, "Accept-Encoding: gzip")
		told := l.verdicts()
		if len(told) != 1 || !cmp.Equal(append([]string{}, c.Named...), told[0].Missing) {
			t.Errorf("%s: %+v", c.Name, told)
			continue
		}
		if proof := strings.Join(told[0].Evidence, "\n"); c.Said != "" && !strings.Contains(proof, c.Said) {
			t.Errorf("%s: %s", c.Name, proof)
		}
		if got.status == c.Response.Status && got.body != string(c.Response.Body) {
			t.Errorf("%s: the child got %q", c.Name, got.body)
		}
	}
}
