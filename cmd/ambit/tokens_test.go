package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"go.yaml.in/yaml/v3"
)

// A handing is a login whose provider names more servers than those of the sandbox, each of which wants
// the token, and the environment in which the recipes of docs/tokens.md run.
type handing struct {
	env      []string
	home     string
	manifest string
	api      string

	mu      sync.Mutex
	refused map[string]bool // tokens that the servers do not take any more
	asked   []string        // what the servers were given, by what they are
}

func newHanding(t *testing.T, servers map[string]func(*handing) *httptest.Server) (h *handing, urls map[string]string) {
	t.Helper()
	ready := startBox(t, sandbox.Options{Grant: "all"}).Ready()
	h = &handing{home: t.TempDir(), manifest: ready.Manifest, api: ready.API, refused: make(map[string]bool)}
	urls = make(map[string]string)
	text, bases := readFile(t, ready.Provider), ""
	for name, start := range servers {
		s := start(h)
		t.Cleanup(s.Close)
		urls[name] = s.URL
		bases += "    " + name + ": " + s.URL + "\n"
	}
	if err := os.WriteFile(ready.Provider, []byte(strings.Replace(text, "  us:\n", "  us:\n"+bases, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	visit := visitCommand(t)
	programs := filepath.Dir(visit)
	if err := os.Symlink(visit, filepath.Join(programs, "ambit")); err != nil {
		t.Fatal(err)
	}
	h.env = []string{
		"HOME=" + h.home, "PATH=" + programs + string(filepath.ListSeparator) + os.Getenv("PATH"), "AMBIT_MANIFEST=" + h.manifest, "AMBIT_STORE=file",
		"GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "NO_PROXY=127.0.0.1",
	}
	h.ok(t, "ambit", "login", "--browser", visit)
	return h, urls
}

// run runs a program as a person would who has no terminal.
func (h *handing) run(t *testing.T, in, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path := name
	for _, dir := range filepath.SplitList(strings.TrimPrefix(h.env[1], "PATH=")) {
		if file := filepath.Join(dir, name); !filepath.IsAbs(path) && isFile(file) {
			path = file
		}
	}
	c := exec.CommandContext(t.Context(), path, args...)
	var out, story bytes.Buffer
	c.Env, c.Dir, c.Stdin, c.Stdout, c.Stderr = h.env, h.home, strings.NewReader(in), &out, &story
	err = c.Run()
	return out.String(), story.String(), err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func (h *handing) ok(t *testing.T, name string, args ...string) string {
	t.Helper()
	stdout, stderr, err := h.run(t, "", name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// takes reports whether a server takes a token, and notes that it got one.
func (h *handing) takes(server, token string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, server+" "+token)
	return strings.HasPrefix(token, "pha_") && !h.refused[token]
}

func (h *handing) refuse(token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused[token] = true
}

func (h *handing) got(server, token string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.asked, server+" "+token)
}

// wantsPassword is a server that wants the token as a password.
func wantsPassword(name string, next func(h *handing) http.Handler) func(*handing) *httptest.Server {
	return func(h *handing) *httptest.Server {
		serve := next(h)
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0") // what a registry says of itself
			user, password, given := r.BasicAuth()
			if !given || user != defaultUser || !h.takes(name, password) {
				w.Header().Set("WWW-Authenticate", `Basic realm="`+name+`"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			serve.ServeHTTP(w, r)
		}))
	}
}

// defaultUser stands beside a token in docs/tokens.md.
const defaultUser = "oauth2"

// section is the part of docs/tokens.md under a heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, after, found := strings.Cut(read(t, "docs/tokens.md"), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/tokens.md has no section %q", heading)
	}
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

// recipeIn is the block of a section in a language, with what a reader fills in.
func recipeIn(t *testing.T, heading, language string, fill ...string) string {
	t.Helper()
	blocks := fenced(section(t, heading), language)
	if len(blocks) != 1 {
		t.Fatalf("the section %q has %d blocks of %s", heading, len(blocks), language)
	}
	for i := 0; i < len(fill); i += 2 {
		if !strings.Contains(blocks[0], fill[i]) {
			t.Fatalf("the recipe for %s names no %s:\n%s", heading, fill[i], blocks[0])
		}
	}
	return strings.NewReplacer(fill...).Replace(blocks[0])
}

func (h *handing) token(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(h.ok(t, "ambit", "token"))
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			testkit.Lacks(t, "no "+program+" on this machine")
		}
	}
}

// The recipes for a shell and for curl.
func TestTokenRecipesForAShell(t *testing.T) {
	needs(t, "sh", "curl")
	h, _ := newHanding(t, nil)
	out := h.ok(t, "sh", "-c", recipeIn(t, "A script", "sh"))
	if !strings.Contains(out, "the API is "+h.api+"\n") || !strings.Contains(out, "the token expires at 20") {
		t.Error(out)
	}
	if out := h.ok(t, "sh", "-c", recipeIn(t, "curl", "sh", "https://api.example.com", h.api)); !strings.Contains(out, `"email"`) {
		t.Errorf("curl got %s", out)
	}
}

// git clones with the token, and after the server refused it, with another.
func TestTokenRecipeForGit(t *testing.T) {
	needs(t, "git", "sh")
	repositories := t.TempDir()
	h, urls := newHanding(t, map[string]func(*handing) *httptest.Server{
		"git": wantsPassword("git", func(*handing) http.Handler { return http.FileServer(http.Dir(repositories)) }),
	})
	h.ok(t, "sh", "-c", `set -e; git init -q -b main work; cd work; echo hello >file; git add file
git -c user.name=a -c user.email=a@example.com commit -q -m first; git clone -q --bare . "$0/app.git"; cd "$0/app.git"; git update-server-info`, repositories)
	config := recipeIn(t, "git", "ini", "https://git.example.com", urls["git"], "~/app/scopes.yaml", h.manifest)
	keeps := filepath.Join(h.home, "kept")
	config = "[credential]\n\thelper = store --file " + keeps + "\n" + config
	if err := os.WriteFile(filepath.Join(h.home, ".gitconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	first := h.token(t)
	h.ok(t, "git", "clone", "-q", urls["git"]+"/app.git", "one")
	if text := readFile(t, filepath.Join(h.home, "one", "file")); text != "hello\n" || !h.got("git", first) {
		t.Errorf("cloned %q; the server saw %v", text, h.asked)
	}
	h.refuse(first)
	if _, story, err := h.run(t, "", "git", "clone", "-q", urls["git"]+"/app.git", "two"); err == nil || strings.Contains(story, first) {
		t.Errorf("the server refused the token: %v\n%s", err, story)
	}
	second := h.token(t)
	if second == first {
		t.Error("what git erased was not renewed")
	}
	h.ok(t, "git", "clone", "-q", urls["git"]+"/app.git", "three")
	if !h.got("git", second) {
		t.Error("git did not get the token that was renewed")
	}
	if isFile(keeps) {
		t.Errorf("another helper keeps the token:\n%s", readFile(t, keeps))
	}
	// Another server of the same kind gets nothing, though the helper is set for all.
	all := strings.Replace(config, `[credential "`+urls["git"]+`"]`, "[credential]", 1)
	if err := os.WriteFile(filepath.Join(h.home, ".gitconfig"), []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(wantsPassword("other", func(*handing) http.Handler { return http.NotFoundHandler() })(h).Config.Handler)
	t.Cleanup(other.Close)
	if _, story, err := h.run(t, "", "git", "clone", "-q", other.URL+"/app.git", "four"); err == nil || !strings.Contains(story, "terminal prompts disabled") {
		t.Errorf("%v\n%s", err, story)
	}
	if h.got("other", second) {
		t.Error("another server got the token")
	}
}

// A kubeconfig is what the recipe for kubectl says, as far as a client needs it to call the plugin.
type kubeconfig struct {
	Clusters []struct{ Cluster map[string]any }
	Users    []struct {
		User struct {
			Exec struct {
				APIVersion         string `yaml:"apiVersion"`
				Command            string
				Args               []string
				Env                []struct{ Name, Value string }
				InteractiveMode    string `yaml:"interactiveMode"`
				ProvideClusterInfo bool   `yaml:"provideClusterInfo"`
			}
		}
	}
}

// A client of Kubernetes runs the plugin as the kubeconfig says, and sends the token to the cluster.
func TestTokenRecipeForKubernetes(t *testing.T) {
	h, urls := newHanding(t, map[string]func(*handing) *httptest.Server{"cluster": cluster})
	text := recipeIn(t, "kubectl", "yaml", "https://cluster.example.com", urls["cluster"], "/home/me/app/scopes.yaml", h.manifest)
	var config kubeconfig
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	plugin := config.Users[0].User.Exec
	if plugin.InteractiveMode != "Never" || !plugin.ProvideClusterInfo {
		t.Errorf("%+v", plugin)
	}
	call := func(version, server string) (token string, story string, err error) {
		info := fmt.Sprintf(`{"kind":"ExecCredential","apiVersion":%q,"spec":{"cluster":{"server":%q,"config":null},"interactive":false}}`, version, server)
		env := h.env
		h.env = append(slices.Clip(env), "KUBERNETES_EXEC_INFO="+info)
		for _, v := range plugin.Env {
			h.env = append(h.env, v.Name+"="+v.Value)
		}
		defer func() { h.env = env }()
		out, story, err := h.run(t, "", plugin.Command, plugin.Args...)
		var answer struct {
			APIVersion, Kind string
			Status           struct {
				Token               string
				ExpirationTimestamp time.Time
			}
		}
		if err == nil && (json.Unmarshal([]byte(out), &answer) != nil || answer.APIVersion != version || answer.Kind != "ExecCredential" || answer.Status.ExpirationTimestamp.Before(time.Now())) {
			t.Errorf("asked in %s: %s", version, out)
		}
		return answer.Status.Token, story, err
	}
	for _, version := range []string{plugin.APIVersion, "client.authentication.k8s.io/v1beta1"} {
		if token, story, err := call(version, urls["cluster"]); err != nil || token != h.token(t) {
			t.Errorf("%s: %v\n%s", version, err, story)
		}
	}
	if token, story, err := call(plugin.APIVersion, "https://127.0.0.1:1"); err == nil || token != "" || !strings.Contains(story, "is not one of the hosts") {
		t.Errorf("for another cluster: %v\n%s", err, story)
	}
	if _, err := exec.LookPath("kubectl"); err != nil {
		testkit.Lacks(t, "no kubectl on this machine: its protocol alone was tried")
	}
	var client struct {
		ClientVersion struct{ Major, Minor string }
	}
	if err := json.Unmarshal([]byte(h.ok(t, "kubectl", "version", "--client", "-o", "json")), &client); err != nil {
		t.Fatal(err)
	}
	if minor, err := strconv.Atoi(strings.TrimSuffix(client.ClientVersion.Minor, "+")); err == nil && client.ClientVersion.Major == "1" && minor < 22 {
		text = strings.Replace(text, "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1", 1) // as the page says
	}
	insecure := strings.Replace(text, "server: "+urls["cluster"], "server: "+urls["cluster"]+"\n      certificate-authority: "+certificateOf(t, urls["cluster"]), 1)
	file := filepath.Join(h.home, "config")
	if err := os.WriteFile(file, []byte(insecure), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := h.ok(t, "kubectl", "--kubeconfig", file, "get", "--raw", "/healthz"); out != "healthy" || !h.got("cluster", h.token(t)) {
		t.Errorf("kubectl got %q", out)
	}
}

// cluster is as much of a cluster as a token needs.
func cluster(h *handing) *httptest.Server {
	return httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !h.takes("cluster", token) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "healthy")
	}))
}

// certificateOf is a file with the certificate of a test's server.
func certificateOf(t *testing.T, url string) string {
	t.Helper()
	client := httptest.NewUnstartedServer(nil)
	client.StartTLS() // every server of this package has the same certificate
	defer client.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: client.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Docker calls the wrapper by its name, with the registry on standard input.
func TestTokenRecipeForDocker(t *testing.T) {
	needs(t, "sh")
	const image = `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}`
	h, urls := newHanding(t, map[string]func(*handing) *httptest.Server{
		"registry": wantsPassword("registry", func(*handing) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.Contains(r.URL.Path, "/manifests/"):
					w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v2+json")
					_, _ = io.WriteString(w, image)
				default:
					_, _ = io.WriteString(w, "{}")
				}
			})
		}),
	})
	registry := strings.TrimPrefix(urls["registry"], "http://")
	programs := filepath.SplitList(strings.TrimPrefix(h.env[1], "PATH="))[0]
	script := recipeIn(t, "docker", "sh", "~/app/scopes.yaml", h.manifest)
	if err := os.WriteFile(filepath.Join(programs, "docker-credential-ambit"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	settings := recipeIn(t, "docker", "json", "registry.example.com", registry)
	var config struct{ CredHelpers map[string]string }
	if err := json.Unmarshal([]byte(settings), &config); err != nil || config.CredHelpers[registry] != "ambit" {
		t.Fatalf("%s: %v", settings, err)
	}
	helper := "docker-credential-" + config.CredHelpers[registry]
	out, story, err := h.run(t, registry, helper, "get")
	var got struct{ ServerURL, Username, Secret string }
	if err != nil || json.Unmarshal([]byte(out), &got) != nil || got.ServerURL != registry || got.Username != defaultUser || got.Secret != h.token(t) {
		t.Errorf("get: %s%s, %v", out, story, err)
	}
	if out, story, err := h.run(t, "index.docker.io", helper, "get"); err == nil || strings.TrimSpace(out) != "credentials not found in native keychain" || story != "" {
		t.Errorf("another registry: %q, %q, %v", out, story, err)
	}
	if _, err := exec.LookPath("docker"); err != nil {
		testkit.Lacks(t, "no docker on this machine: its protocol alone was tried")
	}
	if err := os.MkdirAll(filepath.Join(h.home, ".docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.home, ".docker", "config.json"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	out, story, err = h.run(t, "", "docker", "manifest", "inspect", "--insecure", registry+"/app:1")
	if err != nil || !strings.Contains(out, "sha256:44136fa355b3678a") || !h.got("registry", got.Secret) {
		t.Errorf("docker: %v\n%s%s", err, out, story)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
