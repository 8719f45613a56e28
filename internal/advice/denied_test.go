package advice_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A hint is true of all causes of a code, and the provider's file may know one.
func TestDenied(t *testing.T) {
	const authorize, token, registration = provider.StageAuthorize, provider.StageToken, provider.StageRegistration
	knows := (&provider.Provider{Client: provider.Client{ID: "app"}}).WithVoice(provider.Voice{Denials: []provider.Denial{
		{Stage: authorize, Code: "server_error", Text: "grant exists with {what}", Means: provider.MeaningNotAScopeProblem, Advice: "revoke the old grant"},
		{Stage: token, Code: "invalid_client", Means: provider.MeaningRejected, Advice: "name the desktop client", Link: "{api}/apps"},
		{Stage: token, Code: "invalid_grant", Text: "of another region", Means: provider.MeaningRejected},
	}})
	bare := &provider.Provider{Client: provider.Client{ID: "app"}}
	for name, tt := range map[string]struct {
		denied advice.Denied
		says   string
		never  string // what is not true of every cause
	}{
		"server_error":                         {advice.Denied{Stage: authorize, Code: "server_error", Description: "a grant exists with different scope", Provider: bare}, "the server could not do it", "answers"},
		"server_error, known":                  {advice.Denied{Stage: authorize, Code: "server_error", Description: "a grant exists with different scope", Provider: knows}, "revoke the old grant", ""},
		"server_error, known otherwise":        {advice.Denied{Stage: authorize, Code: "server_error", Description: "oops", Provider: knows}, "the server could not do it", "revoke"},
		"server_error, known of another place": {advice.Denied{Stage: token, Code: "server_error", Description: "a grant exists with different scope", Provider: knows}, "log in again: ambit login", "revoke"},
		"denied":                               {advice.Denied{Stage: authorize, Code: "access_denied"}, "nothing was granted; to be asked again: ambit login", ""},
		"unauthorized_client, in the browser":  {advice.Denied{Stage: authorize, Code: "unauthorized_client", Provider: bare}, "operator can allow", "log in"},
		"unauthorized_client, on a device":     {advice.Denied{Stage: authorize, Device: true, Code: "unauthorized_client", Provider: bare}, "on another device; to log in without --device: ambit login", "authorization code"},
		"unauthorized_client, of no device":    {advice.Denied{Stage: authorize, Code: "unauthorized_client", Provider: bare}, "authorization code", "--device"},
		"invalid_request, in the browser":      {advice.Denied{Stage: authorize, Code: "invalid_request", Provider: bare}, "redirect URI", ""},
		"temporarily_unavailable":              {advice.Denied{Stage: authorize, Code: "temporarily_unavailable"}, "try again later", ""},
		"a code that nobody knows":             {advice.Denied{Stage: authorize, Code: "x_odd"}, "", "log in"},
		"invalid_client":                       {advice.Denied{Stage: token, Code: "invalid_client", Provider: bare}, `the client id "app" is not registered there, or not as a public client`, "not known"},
		"invalid_client, known":                {advice.Denied{Stage: token, Code: "invalid_client", Provider: knows, Server: provider.Server{Bases: []provider.Base{{Name: "api", URL: "https://api.example"}}}}, "name the desktop client; at https://api.example/apps", ""},
		"invalid_client, of a registered one":  {advice.Denied{Stage: token, Code: "invalid_client", Renewal: true, Provider: &provider.Provider{}}, "registers a new client: ambit login", ""},
		"invalid_client, just registered":      {advice.Denied{Stage: token, Code: "invalid_client", Provider: &provider.Provider{}}, "name one that is registered by hand", "log in again"},
		"unauthorized_client":                  {advice.Denied{Stage: token, Code: "unauthorized_client", Provider: bare}, "operator can allow the authorization code grant", "log in"},
		"unsupported_grant_type, of a code":    {advice.Denied{Stage: token, Code: "unsupported_grant_type", Provider: bare}, "operator can allow the authorization code grant", "--device"},
		"unsupported_grant_type, on a device":  {advice.Denied{Stage: token, Device: true, Code: "unsupported_grant_type", Provider: bare}, "on another device; to log in without --device: ambit login", "authorization code"},
		"unauthorized_client, at a renewal":    {advice.Denied{Stage: token, Renewal: true, Code: "unauthorized_client", Provider: bare}, "renew a login", "revoked"},
		"invalid_grant":                        {advice.Denied{Stage: token, Code: "invalid_grant", Provider: bare}, "the code that the server gave is spent", "revoked"},
		"invalid_grant, known, without advice": {advice.Denied{Stage: token, Code: "invalid_grant", Description: "of another region", Provider: knows}, "the code that the server gave is spent", ""},
		"invalid_request, at a renewal":        {advice.Denied{Stage: token, Renewal: true, Code: "invalid_request", Provider: bare}, "log in again: ambit login", "revoked"},
		"a renewal, and a server in trouble":   {advice.Denied{Stage: token, Renewal: true, Temporary: true, Code: "server_error", Provider: bare}, "try again", "log in"},
		"registration":                         {advice.Denied{Stage: registration, Code: "invalid_redirect_uri"}, "name a client id that is registered there", ""},
	} {
		tt.denied.Login = "ambit login"
		got := tt.denied.Hint()
		if !strings.Contains(got, tt.says) || tt.says == "" && got != "" || tt.never != "" && strings.Contains(got, tt.never) {
			t.Errorf("%s: %q, want %q and never %q", name, got, tt.says, tt.never)
		}
	}
}
