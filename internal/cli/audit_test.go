package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// auditHere runs a command against a sandbox of its own, whose manifest is the one in
// the root.
func auditHere(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	s, err := sandbox.Start(t.Context(), sandbox.Options{Manifest: ambit.ExampleManifest, Dir: dir})
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
	m, err := manifest.Decode("scopes.yaml", ambit.ExampleManifest, nil)
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
		Findings []json.RawMessage
		Matrix   []json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != 0 {
		t.Fatalf("exit %d: %v: %s%s", code, err, out, story)
	}
	if len(answer.Findings) > 0 || len(answer.Matrix) < 40 {
		t.Errorf("%d rows, and found: %s", len(answer.Matrix), answer.Findings)
	}
	all = append(all, "--openapi", "../evidence/testdata/posthog-shaped.openapi.yaml")
	if code, out, story := auditHere(t, all...); code != 0 {
		t.Errorf("with the document: exit %d: %s%s", code, out, story)
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
	r := &invocation{}
	if _, err := fetchReference(t.Context(), r, "https://example.com/api.yaml", "http://127.0.0.1:1/x"); err == nil || failure.As(err).Code != failure.ExitUsage {
		t.Errorf("it does: %v", err)
	}
	if got := guard.ShownURL("https://me:secret@example.com/a?key=secret#x"); got != "https://example.com/a" {
		t.Errorf("shown as %q", got)
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
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
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
	if code != failure.ExitCannotTell || strings.Contains(story, "hush") || !strings.Contains(story, "/none") {
		t.Errorf("exit %d: %s", code, story)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A large source takes no more memory from a URL than from a file.
func TestLargeAuditFromURL(t *testing.T) {
	document := []byte(`{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}, "x-large": "` + strings.Repeat("a", 12<<20) + `"}`)
	path := filepath.Join(t.TempDir(), "api.json")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(path))))
	defer server.Close()
	allocated := func(source string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if code, out, story := auditHere(t, "audit", "--openapi", source); code != 0 {
			t.Fatalf("exit %d: %s%s", code, out, story)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	file, remote := allocated(path), allocated(server.URL+"/api.json")
	if remote > file+uint64(len(document))/2 {
		t.Errorf("%d MiB from a URL, %d from a file", remote>>20, file>>20)
	}
}
