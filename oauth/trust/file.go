package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// maxTrustFile is room for thousands of hosts; a person confirms each of them.
const maxTrustFile = 64 << 10

// A File is the list of hosts that this user confirmed, one a line; lines that
// begin with # are for people. It belongs into the user's own configuration directory.
// Its methods are safe for concurrent use; of two processes that add at the same
// moment, one may be forgotten.
type File struct{ Path string }

// Load returns the hosts in the file's order; none where the file does not exist. A
// file that others can write to, or that is no ordinary file, is an *[files.UnsafeError].
func (f File) Load() ([]string, error) {
	text, err := f.read()
	if err != nil {
		return nil, err
	}
	return trustedHosts(text), nil
}

func (f File) read() (string, error) {
	text, err := files.Read(f.Path, files.Rule{Limit: maxTrustFile, Forbidden: files.OthersWrite, Obeyed: true})
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

func trustedHosts(text string) []string {
	var hosts []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && !slices.Contains(hosts, line) {
			hosts = append(hosts, line)
		}
	}
	return hosts
}

// Add puts hosts, in the form of [provider.HostOf], at the end of the file, those that
// it does not have yet; the rest of the file stays as it is. The file is made (0600)
// where it does not exist.
func (f File) Add(hosts ...string) error {
	text, err := f.read()
	if err != nil {
		return err
	}
	known, before := trustedHosts(text), text
	for _, host := range hosts {
		if provider.HostOf("https://"+host) == "" || strings.ContainsAny(host, " \t\r\n/#") {
			return fmt.Errorf("%q is not a host", host)
		}
		if slices.Contains(known, host) {
			continue
		}
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += host + "\n"
		known = append(known, host)
	}
	if text == before {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), files.PrivateDir); err != nil {
		return err
	}
	return files.Write(f.Path, filepath.Base(f.Path)+"-*.tmp", []byte(text))
}

// ParsePair reads two hosts with = between them, each as [ParseHost] has it; ok is false for text that
// is no pair.
func ParsePair(text string) (pair [2]string, ok bool, err error) {
	one, other, ok := strings.Cut(text, "=")
	if !ok || strings.Contains(text, "://") { // a URL may have one in it
		return pair, false, nil
	}
	if pair[0], err = ParseHost(one); err == nil {
		pair[1], err = ParseHost(other)
	}
	return pair, true, err
}

// ParseHost reads what a person writes for a host ("example.com", "example.com:8443",
// or a whole URL) into the form of [provider.HostOf].
func ParseHost(text string) (string, error) {
	raw := strings.TrimSpace(text)
	if !strings.Contains(raw, "://") {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if strings.Contains(text, "@") {
		return "", errors.New("a host has no user name or password") // not quoted
	}
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("%q is not a host", text)
	}
	host := provider.HostOf(raw)
	name := guard.WithoutPort(host)
	if strings.ContainsAny(name, "*?") || strings.HasSuffix(name, ".") {
		return "", fmt.Errorf("%q is not a host: write it in full, without a pattern or a final dot", text)
	}
	return host, nil
}
