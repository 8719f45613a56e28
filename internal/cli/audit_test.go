package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// auditHere runs a command against a sandbox of its own, whose manifest is the one in
// the root.
func auditHere(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	s, err := sandbox.Start(t.Context(), sandbox.Options{Manifest: ambit.Manifest, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out, story bytes.Buffer
	c := Command{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &story, Env: []string{"HOME=" + dir, "AMBIT_STORE=memory"}}
	code = c.Main(t.Context(), append([]string{"-f", filepath.Join(dir, "scopes.yaml")}, args...))
	return code, out.String(), story.String()
}

var wizardSources = []string{
	"--mcp-tools", "../evidence/testdata/mcp-tools-sample.json",
	"--calls", "../evidence/testdata/wizard-calls.txt",
}

// The manifest in the root passes its own audit: with every program nothing at all is
// found, and as it stands nothing that fails.
func TestAuditOfRootManifest(t *testing.T) {
	m, err := manifest.Decode("scopes.yaml", ambit.Manifest, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{"audit", "-o", "json"}, wizardSources...)
	if code, out, story := auditHere(t, all...); code != 0 {
		t.Errorf("the base alone: exit %d: %s%s", code, out, story)
	}
	for _, program := range m.ProgramNames() {
		all = append(all, "--program", program)
	}
	code, out, story := auditHere(t, all...)
	var answer struct {
		Findings []auditFindingJSON
		Matrix   []auditRowJSON
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != 0 {
		t.Fatalf("exit %d: %v: %s%s", code, err, out, story)
	}
	if len(answer.Findings) > 0 || len(answer.Matrix) < 40 {
		t.Errorf("%d rows, and found: %+v", len(answer.Matrix), answer.Findings)
	}
	all = append(all, "--openapi", "../evidence/testdata/posthog-shaped.openapi.yaml")
	if code, out, story := auditHere(t, all...); code != 0 {
		t.Errorf("with the document: exit %d: %s%s", code, out, story)
	}
}

// hostileAudit is an audit whose every text comes from someone who means harm.
func hostileAudit() *auditView {
	const evil = "<script>alert(1)</script>\x1b[2J\"'|`](http://evil)\n::error::"
	return &auditView{
		project: &project{manifest: &manifest.Manifest{File: "m" + evil, Name: "n" + evil}, server: provider.Server{Name: "s", Issuer: "https://x/" + evil}, programs: []string{evil}},
		failing: audit.FailingKinds(), server: scopes.Listed, mended: "wrote " + evil,
		found: audit.Findings{
			Findings: []audit.Finding{
				{Kind: audit.Undeclared, Scope: "a:b", File: "m" + evil, Line: 3, Message: "needs " + evil, Evidence: []string{evil}},
				{Kind: audit.Unused, Scope: "c:d", File: "m.yaml", Line: 4, Message: "unused", Evidence: []string{}},
			},
			Matrix: []audit.Row{{Scope: "a:b" + evil, Advertised: scopes.AdvertisedUnknown, NeededBy: []string{"tool:" + evil}}},
			Waived: []audit.Finding{{Kind: audit.Unused, Message: evil}},
			Notes:  []audit.Note{{Where: audit.Where{File: evil, Line: 1}, Message: evil}},
		},
	}
}

// In no format does text from outside become markup, a command or a control character.
func TestAuditEscapes(t *testing.T) {
	v := hostileAudit()
	page, err := v.page()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(page, "<script>") != 1 || strings.Contains(page, "<script>alert") {
		t.Errorf("the page holds a script that is not its own:\n%s", page)
	}
	p := &printer{width: 80}
	v.text(p)
	for name, text := range map[string]string{"text": p.String(), "markdown": v.markdown(), "github": githubText(v, nil)} {
		if strings.Contains(text, "\x1b") {
			t.Errorf("%s holds a control character: %q", name, text)
		}
	}
	code := regexp.MustCompile("`` .* ``") // of a table's cell
	if text := code.ReplaceAllString(v.markdown(), ""); strings.Contains(text, "<") || strings.Contains(text, "](") && !strings.Contains(text, "\\](") {
		t.Errorf("the Markdown holds markup: %s", text)
	}
	if lines := strings.Split(strings.TrimSpace(githubText(v, nil)), "\n"); len(lines) != 2 {
		t.Errorf("two findings are %d commands: %q", len(lines), lines)
	}
}

// The page brings what it needs, and its policy lets only that in.
func TestAuditPageIsSelfContained(t *testing.T) {
	page, err := hostileAudit().page()
	if err != nil {
		t.Fatal(err)
	}
	page = strings.ReplaceAll(page, "&#39;", "'")
	page = strings.ReplaceAll(page, "&#43;", "+")
	for _, element := range []string{"style", "script"} {
		_, inner, _ := strings.Cut(page, "<"+element+">")
		inner, _, found := strings.Cut(inner, "</"+element+">")
		if want := element + "-src 'sha256-" + hashOf(inner) + "'"; !found || !strings.Contains(page, want) {
			t.Errorf("the policy does not name the page's own %s: want %s", element, want)
		}
	}
	if !strings.Contains(page, "default-src 'none'") {
		t.Error("the policy lets other things in")
	}
	if regexp.MustCompile(`(?i)<[^>]*\s(src|href|style|on\w+)=`).MatchString(page) {
		t.Error("the page refers to something outside, or has code in an attribute")
	}
	again, err := hostileAudit().page()
	if err != nil || strings.ReplaceAll(strings.ReplaceAll(again, "&#39;", "'"), "&#43;", "+") != page {
		t.Errorf("the same audit is another page: %v", err)
	}
}

// The findings as SARIF are valid.
func TestAuditSARIF(t *testing.T) {
	var value any
	if err := json.Unmarshal([]byte(sarifOf(t, hostileAudit())), &value); err != nil {
		t.Fatal(err)
	}
	if err := publishedSchema(t).Validate(value); err != nil {
		t.Error(err)
	}
}

// The table is put between the marks, with the line ends of the file, and nothing else
// of it changes.
func TestExportBetweenMarks(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "a\n" + marksBegin + "\n" + marksEnd + "\nb", "a\n" + marksBegin + "\nT\n" + marksEnd + "\nb"},
		{"filled", marksBegin + "\nold\n" + marksEnd, marksBegin + "\nT\n" + marksEnd},
		{"windows", "a\r\n" + marksBegin + "\r\nold\r\n" + marksEnd + "\r\n", "a\r\n" + marksBegin + "\r\nT\r\n" + marksEnd + "\r\n"},
		{"blanks around a mark stay", " " + marksBegin + "  \r\nold\r\n  " + marksEnd + " \r\n", " " + marksBegin + "  \r\n T\r\n  " + marksEnd + " \r\n"},
		{"in a list", "- a\n  " + marksBegin + "\n  " + marksEnd, "- a\n  " + marksBegin + "\n  T\n  " + marksEnd},
		{"deep in a list", "1.  a\n\n    " + marksBegin + "\n    " + marksEnd, "1.  a\n\n    " + marksBegin + "\n    T\n    " + marksEnd},
		{"behind a byte order mark", "\ufeff" + marksBegin + "\n" + marksEnd, "\ufeff" + marksBegin + "\nT\n" + marksEnd},
		{"in code by its indent", "a\n\n    " + marksBegin + "\n\t" + marksEnd + "\n" + marksBegin + "\n" + marksEnd, "a\n\n    " + marksBegin + "\n\t" + marksEnd + "\n" + marksBegin + "\nT\n" + marksEnd},
		{
			"a text that speaks of them", "between `" + marksBegin + "` and " + marksEnd + "\n```\n" + marksBegin + "\n" + marksEnd + "\n```\n" + marksBegin + "\n" + marksEnd + "\n",
			"between `" + marksBegin + "` and " + marksEnd + "\n```\n" + marksBegin + "\n" + marksEnd + "\n```\n" + marksBegin + "\nT\n" + marksEnd + "\n",
		},
		{"only spoken of", "between `" + marksBegin + "` and `" + marksEnd + "`\n", ""},
		{"none", "a\n", ""},
		{"half", marksBegin + "\n", ""},
		{"twice", strings.Repeat(marksBegin+"\n"+marksEnd+"\n", 2), ""},
		{"turned", marksEnd + "\n" + marksBegin, ""},
	} {
		got, err := betweenMarks("f", test.text, "T\n")
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}

// A document from elsewhere does not lead to a port of this machine.
func TestAuditRemoteReferences(t *testing.T) {
	r := &run{}
	if _, err := r.fetchReference(t.Context(), "https://example.com/api.yaml", "http://127.0.0.1:1/x"); err == nil || asFailure(err).Code != exitUsage {
		t.Errorf("it does: %v", err)
	}
	if got := withoutQuery("https://me:secret@example.com/a?key=secret#x"); got != "https://example.com/a" {
		t.Errorf("shown as %q", got)
	}
	if got := challengedScopes([]string{`Bearer error="insufficient_scope", scope="a:read b:write"`}); strings.Join(got, " ") != "a:read b:write" {
		t.Errorf("the challenge names %q", got)
	}
}

// A source can be a URL. What the document refers to is fetched only where that is
// allowed, and no request carries anything of the user's.
func TestAuditFetches(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if r.Header.Get("Authorization") != "" {
			t.Error("a document was asked for with a credential")
		}
		switch r.URL.Path {
		case "/api.yaml":
			io.WriteString(w, "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /api/users/@me/:\n    $ref: http://"+r.Host+"/more.yaml\n")
		case "/more.yaml":
			io.WriteString(w, "get:\n  security: [{Key: [\"survey:write\"]}]\n  responses: {}\n")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	args := []string{"audit", "-o", "json", "--openapi", server.URL + "/api.yaml?key=hush"}
	code, out, story := auditHere(t, args...)
	if code != 0 || strings.Join(asked, " ") != "/api.yaml" || strings.Contains(out+story, "hush") {
		t.Errorf("exit %d, asked for %q: %s%s", code, asked, out, story)
	}
	asked = nil
	code, out, story = auditHere(t, append(args, "--allow-remote-refs")...)
	if code != 5 || strings.Join(asked, " ") != "/api.yaml /more.yaml" || !strings.Contains(out, "survey:write") {
		t.Errorf("exit %d, asked for %q: %s%s", code, asked, out, story)
	}
	code, _, story = auditHere(t, "audit", "--openapi", server.URL+"/none?key=hush")
	if code != exitCannotTell || strings.Contains(story, "hush") || !strings.Contains(story, "/none") {
		t.Errorf("exit %d: %s", code, story)
	}
}
