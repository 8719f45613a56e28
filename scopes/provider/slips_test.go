package provider_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// slips has a slip of the pen in a key or a word of every level of a provider's file. The word that was
// meant stands at the end of its line.
const slips = `
default_servr: local # default_server
servers:
  local:
    issuer: http://127.0.0.1:8010
    metadta: none # metadata
    scope_supported: [a] # scopes_supported
    tokn_endpoint: https://id.example/token # token_endpoint
    api: http://127.0.0.1:8010
client:
  idd: x # id
  redirect:
    hots: localhost # host
    host: localhos # localhost
  secret:
    variabel: X # variable
  grant: client_credential # client_credentials
  pkce: s256 # S256
  token_endpoint_auth_method: client_secret_baisc # client_secret_basic
credentials:
  - prefx: a # prefix
    kind: a
    holds: permission # permissions
    empty_scope: unkown # unknown
    programs: ment # meant
    usable:
      api: by_scop # by_scope
      apii: never # api
    inspect:
      ulr: "{api}/" # url
      method: GETT # GET
      send: beare # bearer
      introspektion: form # introspection
  - kind: b
    prefix: b
    inspect:
      url: "{apo}/" # api
      send:
        heder: X # header
      scopes:
        headr: X # header
      unknown:
        stats: 400 # status
      absent: unknow # unknown
  - kind: c
    prefix: c
    inspect:
      introspection: from # form
      caler: bearer # caller
whoami:
  ur: "{api}/me" # url
scopes:
  listed: patial # partial
  tabel: [] # table
  table:
    - scop: a # scope
  separator:
    requests: "," # request
  case: anny # any
  request: non # none
implies:
  - scpe: a # scope
errors:
  - statuss: 403 # status
    means: missing_scop # missing_scope
    base: apii # api
  - place: authorise # authorize
    code: x
    means: rejectd # rejected
  - plce: token # place
    code: x
    means: silent
refusal_body:
  apu: "{}" # api
  api:
    refuse: "{}" # refused
`

// Whoever slips in a word is told which one was meant, at every level of the file.
func TestSlips(t *testing.T) {
	_, err := provider.Decode("mine.yaml", []byte(slips))
	mistakes, _ := errors.AsType[yamlfile.Mistakes](err)
	for i, line := range strings.Split(slips, "\n") {
		_, meant, _ := strings.Cut(line, " # ")
		told := meant == ""
		for _, one := range mistakes {
			told = told || one.Line == i+1 && strings.Contains(one.Message, `did you mean "`+meant+`"`)
		}
		if !told {
			t.Errorf("nobody is told that %q was meant in %q", meant, line)
		}
	}
}
