package ports

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
)

// pair is a connection to this machine: from our end, the addresses of the other and our own.
func pair(t *testing.T, address string, dial func(address string) func()) (remote, local net.Addr, hangUp func()) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip(err) // no ::1
	}
	t.Cleanup(func() { listener.Close() })
	hangUp = dial(listener.Addr().String())
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.RemoteAddr(), conn.LocalAddr(), hangUp
}

func plainly(t *testing.T) func(string) func() {
	return func(address string) func() {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return func() { conn.Close() }
	}
}

// mappedly connects to an IPv4 address with a socket for IPv6, as some programs do.
func mappedly(t *testing.T) func(string) func() {
	return func(address string) func() {
		to, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
		if err == nil {
			err = syscall.Connect(fd, &syscall.SockaddrInet6{Port: to.Port, Addr: [16]byte(to.IP.To16())})
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
		return func() {}
	}
}

// This user is no stranger, whichever way it comes; and who has hung up is one.
func TestStranger(t *testing.T) {
	for name, c := range map[string]struct {
		at   string
		dial func(string) func()
	}{
		"127.0.0.1": {"127.0.0.1:0", plainly(t)},
		"::1":       {"[::1]:0", plainly(t)},
		"mapped":    {"127.0.0.1:0", mappedly(t)},
	} {
		t.Run(name, func(t *testing.T) {
			remote, local, _ := pair(t, c.at, c.dial)
			ends := [2]string{tableAddress(remote), tableAddress(local)}
			if _, gone, ok := peer(ends, connections()); gone || !ok {
				t.Errorf("it was not found: %v", ends)
			}
			if who := Stranger(remote, local); who != "" {
				t.Error(who)
			}
		})
	}
	remote, local, hangUp := pair(t, "127.0.0.1:0", plainly(t))
	hangUp()
	if who := Stranger(remote, local); !strings.Contains(who, "did not wait") {
		t.Errorf("after it hung up: %q", who)
	}
}

// Another user is one, with each kind of address.
func TestStrangerIsAnotherUser(t *testing.T) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: testkit.DialAs(t, testkit.Nobody)}}
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		listener, err := net.Listen("tcp", at)
		if err != nil {
			continue // no ::1
		}
		who := ""
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			remote, err := net.ResolveTCPAddr("tcp", r.RemoteAddr)
			if err != nil {
				t.Error(err)
			}
			who = Stranger(remote, r.Context().Value(http.LocalAddrContextKey).(net.Addr))
		}))
		server.Listener = listener
		server.Start()
		if response, err := client.Get(server.URL); err != nil {
			t.Error(err)
		} else {
			response.Body.Close()
		}
		server.Close()
		if who != "another user of this machine (user id 65534)" {
			t.Errorf("%s: %q", at, who)
		}
	}
}

// What is not in the tables is elsewhere, as long as our own end is, and open.
func TestPeer(t *testing.T) {
	const ours, theirs = "0100007F:1F90", "0100007F:C350"
	mine, listener := connection{ours, theirs, "01", true, 1000}, connection{ours, "00000000:0000", "0A", true, 1000}
	for name, c := range map[string]struct {
		all      []connection
		user     int
		gone, ok bool
	}{
		"no tables":            {nil, 0, false, false},
		"tables of others":     {[]connection{mine, {theirs, ours, "01", true, 1001}}, 0, false, false},
		"no programs in it":    {[]connection{{ours, "00000000:0000", "0A", false, 0}, {theirs, ours, "01", false, 0}}, 0, false, false},
		"elsewhere":            {[]connection{listener, mine}, 0, false, false},
		"here":                 {[]connection{listener, mine, {theirs, ours, "01", true, 1001}}, 1001, false, true},
		"closed":               {[]connection{listener, mine, {theirs, ours, "05", false, 0}}, 0, true, false},
		"closed long ago":      {[]connection{listener, {ours, theirs, "08", true, 1000}}, 0, true, false},
		"reset":                {[]connection{listener}, 0, true, false},
		"another's connection": {[]connection{listener, mine, {theirs, "0100007F:0002", "01", true, 1001}}, 0, false, false},
	} {
		if user, gone, ok := peer([2]string{theirs, ours}, c.all); user != c.user || gone != c.gone || ok != c.ok {
			t.Errorf("%s: %d, %v, %v", name, user, gone, ok)
		}
	}
	for line, want := range map[string]connection{
		"   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 54322 1 0":                                                 {ours, theirs, "01", true, 1000},
		"   3: 0000000000000000FFFF00000100007F:C350 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 54323 1 0": {theirs, ours, "01", true, 1001},
		"   4: 0100007F:C350 0100007F:1F90 05 00000000:00000000 03:00000000 00000000     0        0 0 3 0":                                                     {theirs, ours, "05", false, 0},
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode":                                                     {},
	} {
		if c, _ := connectionIn(line); c != want {
			t.Errorf("%q: %+v", line, c)
		}
	}
}
