package oauth_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth"
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
	if !errors.Is(err, oauth.ErrPortsTaken) {
		t.Fatalf("err = %v", err)
	}
	holder := "another program"
	if runtime.GOOS == "linux" { // where the system tells, and it is this very program
		name, _ := os.ReadFile("/proc/self/comm")
		holder = fmt.Sprintf("%s, process %d", strings.TrimSpace(string(name)), os.Getpid())
	}
	if want := fmt.Sprintf("%d (%s), %d (%[2]s)", ports[0], holder, ports[1]); !strings.HasSuffix(err.Error(), ": "+want) {
		t.Errorf("%v, want %s", err, want)
	}
	if len(person.pages) != 0 {
		t.Error("a browser was opened")
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
