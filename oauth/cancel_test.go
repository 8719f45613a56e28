package oauth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// nothingLeft checks that no goroutine of the package is left and that its port is free
// again. A handler may need a moment to see that its connection is gone.
func nothingLeft(t *testing.T, port int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left := ""
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(stack, "ambit/oauth.") && !strings.Contains(stack, "oauth_test.") {
				left = stack
			}
		}
		if left == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a goroutine is left:\n%s", left)
		}
	}
	for _, address := range []string{"127.0.0.1", "::1"} {
		if !portIsFree(address, port) {
			t.Errorf("port %d of %s is not free again", port, address)
		}
	}
}

// lastPort is the port that freePort gave last, counted from a place of this process's
// own.
var lastPort atomic.Int32

// freePort is a port that is free on both loopback addresses, and below those that the
// system gives to connections: one of these could be taken again in the next moment.
func freePort(t *testing.T) int {
	t.Helper()
	const lowest, count = 12000, 18000
	lastPort.CompareAndSwap(0, int32(os.Getpid()*97%count))
	for {
		port := lowest + int(lastPort.Add(1))%count
		if portIsFree("127.0.0.1", port) && portIsFree("::1", port) {
			return port
		}
	}
}

// portIsFree: also where there is no such address.
func portIsFree(address string, port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err == nil {
		listener.Close()
	}
	return !errors.Is(err, syscall.EADDRINUSE)
}

func TestCancelLeavesNothing(t *testing.T) {
	for name, prepare := range map[string]func(l *oauth.Login, s *authServer, p *person, cancel func()){
		"before anything": func(_ *oauth.Login, _ *authServer, _ *person, cancel func()) { cancel() },
		"while the browser opens": func(l *oauth.Login, _ *authServer, _ *person, cancel func()) {
			l.UI.Open = func(ctx context.Context, _, _ string) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}
		},
		"while waiting": func(l *oauth.Login, _ *authServer, p *person, cancel func()) {
			l.UI.Open = func(context.Context, string, string) error { return errors.New("told, then cancelled") }
			l.UI.Tell = func(string, ...any) { cancel() }
		},
		"during a registration": func(l *oauth.Login, _ *authServer, _ *person, cancel func()) {
			l.Client, l.Register = client.Client{}, func(ctx context.Context, _ string, _ client.Client) (client.Client, error) {
				cancel()
				<-ctx.Done()
				return client.Client{}, ctx.Err()
			}
		},
		"after a registration that was not given up half-way": func(l *oauth.Login, _ *authServer, _ *person, cancel func()) {
			l.Client, l.Register = client.Client{}, func(context.Context, string, client.Client) (client.Client, error) {
				cancel()
				return client.Public(testClient), nil
			}
			l.UI.Open = func(context.Context, string, string) error {
				t.Error("a page is opened")
				return nil
			}
		},
		"during the exchange": func(_ *oauth.Login, s *authServer, _ *person, cancel func()) {
			s.tokens = func(w http.ResponseWriter, r *http.Request) { cancel(); s.token(w, r) }
		},
		"while the page is made": func(l *oauth.Login, _ *authServer, _ *person, cancel func()) {
			l.UI.Finish = func(ctx context.Context, _ *credential.Credential, _ error) http.Handler {
				cancel()
				<-ctx.Done()
				return http.NotFoundHandler()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			login := newLogin(server, person)
			port := freePort(t)
			login.Redirect.Ports = []int{port}
			login.UI.Open = func(ctx context.Context, start, authorization string) error {
				_ = person.open(ctx, start, authorization) // its page may never come
				return nil
			}
			prepare(login, server, person, cancel)
			begun := time.Now()
			c, err := login.Run(ctx)
			if name == "while the page is made" || name == "during the exchange" {
				if err != nil || c == nil { // the code is spent and the credential is there
					t.Errorf("%v, %v", c, err)
				}
			} else if !errors.Is(err, context.Canceled) || c != nil {
				t.Errorf("%v, %v", c, err)
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
			nothingLeft(t, port)
		})
	}
}

func TestLoginLeavesNothing(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	port := freePort(t)
	login.Redirect = provider.Redirect{Host: "localhost", Path: "/callback", Ports: []int{port}}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, port)
}

func TestLoginTimeout(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.UI.Open, login.Timeout = nil, time.Millisecond
	port := freePort(t)
	login.Redirect.Ports = []int{port}
	if _, err := login.Run(t.Context()); !errors.Is(err, oauth.ErrLoginTimeout) {
		t.Errorf("err = %v", err)
	}
	nothingLeft(t, port)
}
