package store_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/zalando/go-keyring"
)

// openKeyring is a store on a real Secret Service: a gnome-keyring on a bus of its own,
// so that nobody's own keyring is touched.
func openKeyring(t *testing.T) store.Store {
	startBus(t)
	start(t, "password\n", "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	return waitForKeyring(t)
}

// A keyring that is locked may hold a login: it is not one that is not there.
func TestLockedKeyring(t *testing.T) {
	startBus(t)
	ctx, end := context.WithCancel(t.Context())
	unlocked := exec.CommandContext(ctx, "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	unlocked.Stdin = strings.NewReader("password\n")
	if err := unlocked.Start(); err != nil {
		t.Fatal(err)
	}
	key := store.Key{Manifest: "locked"}
	if err := waitForKeyring(t).Save(t.Context(), key, &credential.Credential{Access: credential.NewSecret("t")}); err != nil {
		t.Fatal(err)
	}
	end()
	_ = unlocked.Wait()
	_, err := store.Keyring{}.Load(t.Context(), key)
	if gone, ok := errors.AsType[*store.NoKeyringError](err); !ok || gone.Silent {
		t.Errorf("without a keyring on the bus: %v", err)
	}
	start(t, "", "gnome-keyring-daemon", "--foreground", "--components=secrets")
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, err := store.Keyring{}.Load(t.Context(), key)
		locked, ok := errors.AsType[*store.NoKeyringError](err)
		if ok && locked.Silent {
			break
		}
		if !ok || time.Now().After(deadline) {
			t.Fatalf("a locked keyring says %v", err)
		}
		runtime.Gosched()
	}
	// What is to come has no place there: a login and a renewal ask before they send anything.
	err = store.Keyring{}.Probe(t.Context(), key)
	if locked, ok := errors.AsType[*store.NoKeyringError](err); !ok || !locked.Silent {
		t.Errorf("a probe of a locked keyring: %v", err)
	}
}

// What another program stores in the keyring while a renewal waits for its response, without a lease, is
// used, and never written over: neither by what comes, nor by what a refusal taught.
func TestKeyringChangedDuringARenewal(t *testing.T) {
	backend := openKeyring(t)
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"renewed": {200, `{"access_token":"acc_1","refresh_token":"ref_1","token_type":"Bearer","expires_in":3600}`},
		"refused": {400, `{"error":"invalid_grant"}`},
	} {
		t.Run(name, func(t *testing.T) {
			key, now := store.Key{Manifest: name}, time.Now().Truncate(time.Second)
			login := func(name string, obtained, expires time.Time) *credential.Credential {
				c := storetest.FullCredential()
				c.Access, c.Refresh, c.ClientID = credential.NewSecret("acc_"+name), credential.NewSecret("ref_"+name), "tool"
				c.ObtainedAt, c.ExpiresAt, c.Renewal = obtained, expires, credential.Renewal{}
				return c
			}
			if err := backend.Save(t.Context(), key, login("old", now.Add(-2*time.Hour), now.Add(-time.Hour))); err != nil {
				t.Fatal(err)
			}
			theirs := login("theirs", now, now.Add(time.Hour))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if err := backend.Save(context.Background(), key, theirs); err != nil {
					t.Error(err)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}))
			defer server.Close()
			renewer := &oauth.Renewer{Store: backend, Key: key, LockDir: t.TempDir(), Server: func(context.Context) (*metadata.AuthorizationServer, error) {
				return &metadata.AuthorizationServer{Issuer: server.URL, TokenEndpoint: server.URL}, nil
			}}
			got, err := renewer.Valid(t.Context(), 0)
			if err != nil || !got.SameSecrets(theirs) {
				t.Errorf("%v, %v", got, err)
			}
			if kept := storetest.Load(t, backend, key); !kept.SameSecrets(theirs) {
				t.Error("theirs is gone")
			}
		})
	}
}

// startBus is a session bus for one test, in a home of its own.
func startBus(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		testkit.Lacks(t, "the keyring is tested against a Secret Service, which is Linux's")
	}
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			testkit.Lacks(t, program+" is not installed, so there is no keyring to test with")
		}
	}
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"} {
		t.Setenv(name, home)
	}
	address := "unix:path=" + filepath.Join(home, "bus")
	config := filepath.Join(home, "bus.conf")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(busConfig, "ADDRESS", address)), 0o600); err != nil {
		t.Fatal(err)
	}
	ready := start(t, "", "dbus-daemon", "--nofork", "--nosyslog", "--print-address", "--config-file="+config)
	if _, err := ready.ReadString('\n'); err != nil {
		t.Fatalf("dbus-daemon: %v", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
}

// busConfig is a bus that starts no services by itself: it would start a second keyring,
// and that one locked, while ours is still on its way.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>ADDRESS</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// start starts a program that ends with the test, and returns its standard output.
func start(t *testing.T, stdin, name string, args ...string) *bufio.Reader {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return bufio.NewReader(out)
}

// waitForKeyring asks until the daemon has taken its name on the bus.
func waitForKeyring(t *testing.T) store.Store {
	t.Helper()
	backend := store.Keyring{}
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, err := backend.Load(t.Context(), store.Key{Manifest: "is anyone there?"})
		if errors.Is(err, store.ErrNotFound) {
			return backend
		}
		if time.Now().After(deadline) {
			testkit.Lacks(t, "no keyring answers: "+err.Error())
		}
		runtime.Gosched()
	}
}

func TestNoKeyring(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the keyring is always there on this system")
	}
	silent, err := net.Listen("unix", filepath.Join(t.TempDir(), "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, address := range map[string]string{
		"nobody listens": "unix:path=" + filepath.Join(t.TempDir(), "nothing"),
		"no address":     "nonsense",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
			_, err := store.Keyring{}.Load(t.Context(), store.Key{})
			if _, ok := errors.AsType[*store.NoKeyringError](err); !ok {
				t.Errorf("err = %v", err)
			}
		})
	}
	t.Run("it does not answer", func(t *testing.T) {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+silent.Addr().String())
		begun := time.Now()
		_, err := store.Keyring{}.Load(t.Context(), store.Key{})
		if _, ok := errors.AsType[*store.NoKeyringError](err); !ok || !strings.Contains(err.Error(), "3s") {
			t.Errorf("err = %v", err)
		}
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// The secret of a client stands where the user put it, and no item of ambit's own can be taken for one.
func TestClientSecretInKeyring(t *testing.T) {
	own, key := openKeyring(t), store.Key{Manifest: "own"}
	if err := keyring.Set("ambit-client", "app", "s3cret"); err != nil {
		t.Fatal(err)
	}
	if got, err := store.ClientSecret(t.Context(), "app"); err != nil || got.Reveal() != "s3cret" {
		t.Errorf("%v", err)
	}
	if err := own.Save(t.Context(), key, &credential.Credential{Access: credential.NewSecret("t")}); err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{"other", key.ID()} {
		if got, err := store.ClientSecret(t.Context(), account); !errors.Is(err, store.ErrNotFound) || !got.Empty() {
			t.Errorf("%s: %v", account, err)
		}
	}
}
