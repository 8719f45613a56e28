package ports

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Stranger names who is at the other end of a connection of this machine, from its two addresses, where
// that is another user: neither this one, nor root, nor whoever logged in and became this one since (by
// sudo, say). It is "" also where the system does not tell: the other end is in another namespace, as
// behind a forwarded port of a container. Who has closed the connection cannot be told any more, and is
// a stranger.
func Stranger(remote, local net.Addr) string {
	user, gone, ok := peer([2]string{tableAddress(remote), tableAddress(local)}, connections())
	switch {
	case gone:
		return "a program that did not wait for the reply"
	case !ok || slices.Contains(ownUsers(), user):
		return ""
	}
	return fmt.Sprintf("another user of this machine (user id %d)", user)
}

// A connection is an end of a TCP connection, or a listener, as a line of proc_net_tcp(5) has it.
type connection struct {
	local, remote string
	state         string
	held          bool // by a program
	user          int
}

const (
	established = "01" // TCP_ESTABLISHED
	listening   = "0A" // TCP_LISTEN
)

func (c connection) open() bool { return c.state == established && c.held }

// peer finds who holds the other end of a connection, from that end's address and ours. A table that
// does not know our listener says nothing.
func peer(ends [2]string, all []connection) (user int, gone, ok bool) {
	var mine, theirs *connection
	knows := false
	for i, c := range all {
		switch {
		case c.local == ends[0] && c.remote == ends[1]:
			theirs = &all[i]
		case c.local == ends[1] && c.remote == ends[0]:
			mine = &all[i]
		case c.local == ends[1] && c.state == listening && c.held:
			knows = true
		}
	}
	switch {
	case !knows:
		return 0, false, false
	case mine == nil || !mine.open() || theirs != nil && !theirs.open():
		return 0, true, false
	case theirs == nil: // it is elsewhere
		return 0, false, false
	}
	return theirs.user, false, true
}

func connections() []connection {
	var all []connection
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		file, err := os.Open(table)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if c, ok := connectionIn(lines.Text()); ok {
				all = append(all, c)
			}
		}
		_ = file.Close()
	}
	return all
}

// connectionIn reads a line: local and remote address, state, and from the eighth field on user,
// timeout and inode, which is 0 where no program has the socket any more.
func connectionIn(line string) (c connection, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 {
		return connection{}, false
	}
	user, err := strconv.Atoi(fields[7])
	if err != nil {
		return connection{}, false
	}
	return connection{plain(fields[1]), plain(fields[2]), fields[3], fields[9] != "0", user}, true
}

// plain is the IPv4 address in one that is mapped to IPv6 (RFC 4291 §2.5.5.2): the two ends of a
// connection may write it differently.
func plain(address string) string {
	mapped := tableWords(append(make([]byte, 10), 0xff, 0xff))
	return strings.TrimPrefix(address, mapped)
}

// tableAddress is an address as the table has it.
func tableAddress(at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return ""
	}
	a := tcp.AddrPort()
	return tableWords(a.Addr().Unmap().AsSlice()) + fmt.Sprintf(":%04X", a.Port())
}

// tableWords writes words of four bytes, each in the machine's own order.
func tableWords(address []byte) string {
	for word := range slices.Chunk(address, 4) {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	return strings.ToUpper(hex.EncodeToString(address))
}

// ownUsers are those whose programs are this user's: the user, root, and who logged in.
func ownUsers() []int {
	users := []int{os.Geteuid(), os.Getuid(), 0}
	text, _ := os.ReadFile("/proc/self/loginuid")
	if user, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		users = append(users, user) // 2³²-1 where nobody did
	}
	return users
}
