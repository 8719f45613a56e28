package evidence_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

// atGoogle is a manifest of the service whose documents these are.
func atGoogle(t *testing.T) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: t\nprovider: {use: google, client: {id: x, secret: {variable: S}}}\nscopes: []\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A method is an operation at each of its paths, on the base at the document's own host.
func TestDiscovery(t *testing.T) {
	p := atGoogle(t).Provider
	e := readOpenAPI(t, evidence.OpenAPI{Server: p.Servers[0], Provider: p}, "discovery-drive.json")
	got := described(e)
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], "https://www.googleapis.com/auth/", "")
	}
	for _, want := range []string{
		"GET {apis}/drive/v3/about: drive | drive.appdata | drive.file | drive.metadata | drive.metadata.readonly | drive.photos.readonly | drive.readonly",
		"POST {apis}/drive/v3/files: drive | drive.appdata | drive.file",
		"POST {apis}/upload/drive/v3/files: drive | drive.appdata | drive.file",
		"POST {apis}/resumable/upload/drive/v3/files: drive | drive.appdata | drive.file",
		"PATCH {apis}/upload/drive/v3/files/{fileId}: drive | drive.appdata | drive.file | drive.metadata | drive.scripts",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if about := e.About["https://www.googleapis.com/auth/drive.metadata.readonly"]; about != "read the metadata of files" || len(e.About) != 9 {
		t.Errorf("%q, %d descriptions", about, len(e.About))
	}
	if n := e.Requirements[0]; n.Title != "Says what the person may do" || n.Where.Line != 26 || n.Source != audit.SourceAPI || len(e.Notes)+len(e.Elsewhere) > 0 {
		t.Errorf("%+v %v %v", n, e.Notes, e.Elsewhere)
	}
	for file, want := range map[string]string{
		"discovery-gmail.json":    "POST {gmail}/upload/gmail/v1/users/{userId}/messages/send",
		"discovery-calendar.json": "GET {apis}/calendar/v3/calendars/{calendarId}/events",
		"discovery-sheets.json":   "POST {sheets}/v4/spreadsheets/{spreadsheetId}/values/{range}:append",
		"discovery-youtube.json":  "POST {youtube}/upload/youtube/v3/videos",
	} {
		e := readOpenAPI(t, evidence.OpenAPI{Server: p.Servers[0], Provider: p}, file)
		if !slices.ContainsFunc(e.Requirements, func(r audit.Requirement) bool { return r.Operation.String() == want }) {
			t.Errorf("%s: %s is missing", file, want)
		}
	}
}

// What is odd in a discovery document does not stop it, and what would lead astray does.
func TestDiscoveryForms(t *testing.T) {
	const begin = `{"kind": "discovery#restDescription", "rootUrl": "https://a.example/", `
	for _, c := range []struct{ name, text, want string }{
		{"methods at the top", `"servicePath": "x/", "methods": {"m": {"httpMethod": "GET", "path": "y", "scopes": ["a", "b"]}}`, "GET {api}/x/y: a | b"},
		{"a name that may hold slashes", `"servicePath": "", "methods": {"m": {"httpMethod": "GET", "path": "v1/{+name}:act", "scopes": ["a"]}}`, "GET {api}/v1/{name}:act: a"},
		{"the flat path counts", `"methods": {"m": {"httpMethod": "GET", "path": "v1/{+name}", "flatPath": "v1/x/{xId}", "scopes": ["a"]}}`, "GET {api}/v1/x/{xId}: a"},
		{"the flat path counts for uploads", `"methods": {"m": {"httpMethod": "POST", "path": "v1/{+p}:up", "flatPath": "v1/x/{xId}:up", "scopes": ["a"], "mediaUpload": {"protocols": {"simple": {"path": "/upload/v1/{+p}:up"}, "other": {"path": "/else/{+q}"}}}}}`, "POST {api}/v1/x/{xId}:up: a; POST {api}/upload/v1/x/{xId}:up: a; POST {api}/else/{q}: a"},
		{"no scopes: it says nothing", `"methods": {"m": {"httpMethod": "GET", "path": "y"}}`, "GET {api}/y: silent"},
		{"scopes that are none", `"methods": {"m": {"httpMethod": "GET", "path": "y", "scopes": ["a", {"b": []}]}}`, "GET {api}/y: silent"},
		{"no path", `"servicePath": "x/", "methods": {"m": {"httpMethod": "GET", "scopes": ["a"]}}`, "GET {api}/x/: a"},
		{"nothing", `"resources": {}`, ""},
	} {
		e, err := evidence.OpenAPI{}.Read("d.json", strings.NewReader(begin+c.text+"}"))
		if got := strings.Join(described(e), "; "); err != nil || got != c.want {
			t.Errorf("%s: %v, %q", c.name, err, got)
		}
		if diff := cmp.Diff([]string{"https://a.example"}, e.Elsewhere); c.want != "" && diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	for _, c := range []struct{ name, text, want string }{
		{"nested for ever", strings.Repeat(`"resources": {"r": {`, 40) + `"methods": {}` + strings.Repeat("}}", 40), "d.json:1: resources are nested more than 30 deep"},
		{"named twice", `"methods": {"m": {"httpMethod": "GET", "path": "a", "scopes": ["a"], "scopes": []}}`, "d.json:1: a key that is there already"},
	} {
		if _, err := (evidence.OpenAPI{}).Read("d.json", strings.NewReader(begin+c.text+"}")); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Of the scopes of which one is enough, the one counts that permits least: what programs call, and what a
// person would have chosen for them.
func TestLeastOfAlternatives(t *testing.T) {
	for _, c := range []struct{ document, calls, want string }{
		{"drive", "GET /drive/v3/files", "drive.metadata.readonly"},
		{"drive", "GET /drive/v3/files/{id}/export", "drive.readonly"},
		{"drive", "POST /upload/drive/v3/files", "drive.file"},
		{"drive", "GET /drive/v3/files\nPOST /drive/v3/files", "drive.file"},
		{"drive", "GET /drive/v3/drives\nGET /drive/v3/changes", "drive.readonly"},
		{"gmail", "GET /gmail/v1/users/me/messages\nGET /gmail/v1/users/me/messages/{id}", "gmail.readonly"},
		{"gmail", "GET /gmail/v1/users/me/messages\nPOST /gmail/v1/users/me/messages/{id}/modify", "gmail.modify"},
		{"gmail", "POST /gmail/v1/users/me/messages/send", "gmail.send"},
		{"gmail", "GET /gmail/v1/users/me/labels", "gmail.labels"},
		{"gmail", "DELETE /gmail/v1/users/me/messages/{id}", "gmail.messages.delete"},
		{"calendar", "GET /calendar/v3/users/me/calendarList\nGET /calendar/v3/calendars/primary/events", "calendar.calendarlist.readonly calendar.events.readonly"},
		{"calendar", "POST /calendar/v3/calendars/primary/events", "calendar.events"},
		{"sheets", "GET /v4/spreadsheets/{id}/values/{range}", "spreadsheets.readonly"},
		{"sheets", "POST /v4/spreadsheets/{id}/values/{range}:append", "drive.file"},
		{"youtube", "GET /youtube/v3/channels\nPOST /upload/youtube/v3/videos", "youtube.readonly youtube.upload"},
		{"youtube", "GET /youtube/v3/channels\nPOST /youtube/v3/commentThreads", "youtube.force-ssl"},
	} {
		m := atGoogle(t)
		e := readOpenAPI(t, evidence.OpenAPI{Server: m.Provider.Servers[0], Provider: m.Provider}, "discovery-"+c.document+".json")
		calls, err := evidence.Calls{Base: e.OnlyBase()}.Read("calls.txt", strings.NewReader(c.calls))
		if err != nil {
			t.Fatal(err)
		}
		e.Merge(calls)
		f, err := audit.Audit(audit.Question{Manifest: m, Evidence: &e})
		if got := strings.ReplaceAll(f.Least.Scopes.String(), "https://www.googleapis.com/auth/", ""); err != nil || got != c.want {
			t.Errorf("%s: %v: %q, want %q", c.calls, err, got, c.want)
		}
	}
}

// What the provider's file calls special is kept where the manifest declares it.
func TestLeastKeepsTheSpecialThatIsDeclared(t *testing.T) {
	const partner = "https://www.googleapis.com/auth/youtubepartner"
	m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: t\nprovider: {use: google, client: {id: x, secret: {variable: S}}}\nscopes: [{scope: "+partner+", level: required, why: we are one}]\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := readOpenAPI(t, evidence.OpenAPI{Server: m.Provider.Servers[0], Provider: m.Provider}, "discovery-youtube.json")
	calls, err := evidence.Calls{Base: e.OnlyBase()}.Read("calls.txt", strings.NewReader("GET /youtube/v3/channels\nPOST /upload/youtube/v3/videos"))
	if err != nil {
		t.Fatal(err)
	}
	e.Merge(calls)
	if f, err := audit.Audit(audit.Question{Manifest: m, Evidence: &e}); err != nil || f.Least.Scopes.String() != partner || len(f.Findings) > 0 {
		t.Errorf("%v %v %v", err, f.Least.Scopes, f.Findings)
	}
}
