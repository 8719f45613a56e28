package oauth_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/google/go-cmp/cmp"
)

const (
	workerVariable = "AMBIT_OAUTH_TEST_WORKER"
	workers        = 6  // processes
	goroutines     = 20 // in this one
)

// TestMain is also the main of the worker processes.
func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		os.Exit(workRefresh())
	}
	os.Exit(m.Run())
}

// announcing says when it has loaded for the first time.
type announcing struct {
	store.Store
	once *sync.Once
	say  func()
}

func (a announcing) Load(ctx context.Context, key store.Key) (*credential.Credential, error) {
	c, err := a.Store.Load(ctx, key)
	a.once.Do(a.say)
	return c, err
}

// workRefresh renews from the store and at the server that its arguments name.
func workRefresh() int {
	directory, server := os.Args[1], os.Args[2]
	renewer := processRenewer(directory, server)
	renewer.Store = announcing{renewer.Store, new(sync.Once), func() { fmt.Println("loaded") }}
	c, err := renewer.Valid(context.Background(), time.Minute)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(c.Access.Reveal())
	return 0
}

func processRenewer(directory, server string) *oauth.Renewer {
	return &oauth.Renewer{
		Store: store.File{Dir: filepath.Join(directory, "store")}, Key: testKey, LockDir: filepath.Join(directory, "locks"),
		Server: func(context.Context) (*metadata.AuthorizationServer, error) {
			return &metadata.AuthorizationServer{Issuer: server, TokenEndpoint: server + "/token"}, nil
		},
	}
}

// A worker is a process that renews.
type worker struct {
	cmd *exec.Cmd
	out *bufio.Scanner
}

func startWorker(t *testing.T, directory, server string) worker {
	t.Helper()
	cmd := exec.Command(os.Args[0], directory, server)
	cmd.Env = append(os.Environ(), workerVariable+"=refresh")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := worker{cmd, bufio.NewScanner(out)}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if got := w.line(); got != "loaded" {
		t.Errorf("a worker begins with %q", got)
	}
	return w
}

func (w worker) line() string {
	w.out.Scan()
	return w.out.Text()
}

// Everyone has seen the old credential before the one request is answered, so everyone
// wants to renew it: 20 goroutines, and processes that know nothing of each other. The
// server kills the session if it sees a refresh token twice.
func TestOneRefreshForAll(t *testing.T) {
	server, directory := newAuthServer(t), t.TempDir()
	everyone := make(chan struct{})
	server.onRequest = func(string, string) { <-everyone }
	store := store.File{Dir: filepath.Join(directory, "store")}
	expired(t, server, store)

	var loaded, done sync.WaitGroup
	loaded.Add(goroutines)
	got := make(chan string, goroutines+workers)
	for range goroutines {
		done.Go(func() {
			renewer := processRenewer(directory, server.URL)
			renewer.Store = announcing{renewer.Store, new(sync.Once), loaded.Done}
			c, err := renewer.Valid(t.Context(), time.Minute)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- c.Access.Reveal()
		})
	}
	for range workers {
		w := startWorker(t, directory, server.URL)
		done.Go(func() { got <- w.line() })
	}
	loaded.Wait()
	close(everyone)
	done.Wait()
	close(got)
	for token := range got {
		if token != "acc_1" {
			t.Errorf("one of them got %q", token)
		}
	}
	if diff := cmp.Diff([]string{"POST /token"}, server.sent()); diff != "" {
		t.Error(diff)
	}
	if server.dead {
		t.Error("a refresh token was used twice")
	}
}

// A process that is killed with the lock in hand, its request on the way.
func TestKilledInTheMiddle(t *testing.T) {
	server, directory := newAuthServer(t), t.TempDir()
	asked, killed := make(chan struct{}, 1), make(chan struct{})
	server.tokens = func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-killed
		server.token(w, r) // nobody reads the body's sender any more, or the next one does
	}
	backend := store.File{Dir: filepath.Join(directory, "store")}
	expired(t, server, backend)
	victim := startWorker(t, directory, server.URL)
	<-asked
	if err := victim.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.cmd.Wait()
	server.tokens = nil // the request was lost before it was served
	defer close(killed)
	c, err := processRenewer(directory, server.URL).Valid(t.Context(), time.Minute)
	if err != nil || !strings.HasPrefix(c.Access.Reveal(), "acc_") {
		t.Errorf("%v, %v", c, err)
	}
	if !storetest.Load(t, backend, testKey).Access.Equal(c.Access) {
		t.Error("the store was not mended")
	}
}
