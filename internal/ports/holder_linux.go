package ports

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Holders looks in /proc for who listens on each port. Another user's processes
// do not show their files, so some holders stay unknown.
func Holders(ports []int) []Holder {
	holders := make([]Holder, len(ports))
	inodes := listeningInodes()
	for i, port := range ports {
		holders[i].Port = port
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well formed
	for _, file := range files {
		target, err := os.Readlink(file)
		inode, isSocket := strings.CutPrefix(target, "socket:[")
		if err != nil || !isSocket {
			continue
		}
		port, listens := inodes[strings.TrimSuffix(inode, "]")]
		i := slices.Index(ports, port)
		if !listens || i < 0 {
			continue
		}
		process := filepath.Dir(filepath.Dir(file))
		holders[i].PID, _ = strconv.Atoi(filepath.Base(process)) // the pattern took digits only
		holders[i].Program = programName(process)
	}
	return holders
}

func programName(process string) string {
	name, err := os.ReadFile(filepath.Join(process, "comm"))
	if err != nil || len(name) == 0 {
		return "another program"
	}
	return strings.TrimSpace(string(name))
}

// listeningInodes maps the inode of every listening TCP socket to its port.
func listeningInodes() map[string]int {
	inodes := make(map[string]int)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		file, err := os.Open(table)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if port, inode, ok := listeningSocket(lines.Text()); ok {
				inodes[inode] = port
			}
		}
		_ = file.Close()
	}
	return inodes
}

// listeningSocket reads a line of proc_net_tcp(5): its second field is the local
// address with a hexadecimal port, the fourth the state, the tenth the inode.
func listeningSocket(line string) (port int, inode string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != listening {
		return 0, "", false
	}
	colon := strings.LastIndexByte(fields[1], ':')
	if _, err := fmt.Sscanf(fields[1][colon+1:], "%x", &port); err != nil {
		return 0, "", false
	}
	return port, fields[9], true
}
