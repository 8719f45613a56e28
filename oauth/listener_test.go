package oauth_test

import (
	"errors"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/google/go-cmp/cmp"
)

// occupy listens on port of address until the test ends.
func occupy(t *testing.T, address string, port int) {
	t.Helper()
	if address == "::1" {
		needIPv6(t)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		t.Fatalf("cannot listen on %s: %v", address, err)
	}
	t.Cleanup(func() { listener.Close() })
}

func TestPortsInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		taken map[int]string // index of the port to the address on which it is taken
		want  int            // index of the port that is used
	}{
		"the first":            {nil, 0},
		"taken on 127.0.0.1":   {map[int]string{0: "127.0.0.1"}, 1},
		"taken on ::1":         {map[int]string{0: "::1"}, 1},
		"taken everywhere":     {map[int]string{0: "0.0.0.0"}, 1},
		"one taken on each":    {map[int]string{0: "127.0.0.1", 1: "::1"}, 2},
		"the last is not used": {map[int]string{2: "127.0.0.1"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			login := newLogin(server, person)
			login.Redirect.Ports = []int{freePort(t), freePort(t), freePort(t)}
			for i, address := range c.taken {
				occupy(t, address, login.Redirect.Ports[i])
			}
			if _, err := login.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := "http://localhost:" + strconv.Itoa(login.Redirect.Ports[c.want]) + "/callback"
			if got := server.lastAsked().Get("redirect_uri"); got != want {
				t.Errorf("redirect_uri = %q, want %q", got, want)
			}
			for i, port := range login.Redirect.Ports { // nothing is left of those that were tried
				if c.taken[i] != "127.0.0.1" && c.taken[i] != "0.0.0.0" {
					occupy(t, "127.0.0.1", port)
				}
			}
		})
	}
}

func TestAllPortsTaken(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	ports := []int{freePort(t), freePort(t)}
	login.Redirect.Ports = ports
	occupy(t, "127.0.0.1", ports[0])
	occupy(t, "::1", ports[1])
	_, err := login.Run(t.Context())
	taken, ok := errors.AsType[*oauth.PortsTakenError](err)
	if !ok {
		t.Fatalf("err = %v", err)
	}
	want := []oauth.TakenPort{{Port: ports[0]}, {Port: ports[1]}}
	if runtime.GOOS == "linux" { // where the system tells, and it is this very program
		name, _ := os.ReadFile("/proc/self/comm")
		for i := range want {
			want[i].PID, want[i].Program = os.Getpid(), strings.TrimSpace(string(name))
		}
	}
	if diff := cmp.Diff(want, taken.Ports); diff != "" {
		t.Error(diff)
	}
	for _, p := range taken.Ports {
		if !strings.Contains(err.Error(), strconv.Itoa(p.Port)) || !strings.Contains(err.Error(), strconv.Itoa(p.PID)) {
			t.Errorf("the error does not name %+v: %v", p, err)
		}
	}
	if len(person.pages) != 0 {
		t.Error("a browser was opened")
	}
}

func TestTakenPortString(t *testing.T) {
	for want, p := range map[string]oauth.TakenPort{
		"8239 (another program)":     {Port: 8239},
		"8239 (python, process 123)": {Port: 8239, Program: "python", PID: 123},
	} {
		if got := p.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// needIPv6 skips a test on a machine without ::1; see skipPart.
func needIPv6(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		testkit.Lacks(t, "this machine has no ::1: "+err.Error())
	}
	listener.Close()
}
