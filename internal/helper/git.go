package helper

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
)

// A Git is what git asks of a credential helper (git-credential(1), "Input/output format").
type Git struct {
	URL      string // of the server, with the path where git tells it
	Username string // that the URL or git's settings name; "" where none does
	Bearer   bool   // git can send a bearer token (its capability authtype), and the server offered to take one

	secret string // that the server refused, of what is to be erased
}

// ReadGit reads a request of git: attributes, one a line, until an empty line.
func ReadGit(from io.Reader) (Git, error) {
	text, err := files.ReadAll(from, maxRequest)
	if err != nil {
		return Git{}, err
	}
	single, lists := make(map[string]string), make(map[string][]string)
	for line := range strings.SplitSeq(string(text), "\n") {
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			break
		}
		key, value, ok := strings.Cut(line, "=")
		switch name, list := strings.CutSuffix(key, "[]"); {
		case !ok || strings.ContainsRune(line, 0):
			return Git{}, errors.New("a line is not the key=value that git writes")
		case list && value == "":
			delete(lists, name) // an empty value clears what stood before
		case list:
			lists[name] = append(lists[name], value)
		default:
			single[key] = value
		}
	}
	g := Git{Username: single["username"], secret: single["password"]}
	if g.secret == "" {
		g.secret = single["credential"]
	}
	if host := single["host"]; isHost(host) {
		g.URL = single["protocol"] + "://" + host + "/" + strings.TrimPrefix(single["path"], "/")
	}
	g.Bearer = slices.Contains(lists["capability"], "authtype") && slices.ContainsFunc(lists["wwwauth"], isBearer)
	return g, nil
}

// isHost reports whether a host that git decoded out of a URL is one still: a %2f in it has become
// the / of a path, and %40 the end of a user's name.
func isHost(host string) bool {
	return host != "" && !strings.ContainsAny(host, "/\\?#@% ")
}

// isBearer reports whether a challenge is for a bearer token (RFC 6750 §3).
func isBearer(challenge string) bool {
	scheme, _, _ := strings.Cut(challenge, " ")
	return strings.EqualFold(scheme, "Bearer")
}

// Refused reports whether it is this secret that the server refused.
func (g Git) Refused(secret string) bool { return secret != "" && g.secret == secret }

// Answer gives git the token, as a password under username where the server takes no bearer token.
// No other helper is to keep it: where git knows how that is said, it is told so.
func (g Git) Answer(username string, t Token) string {
	var out strings.Builder
	if g.Username != "" {
		username = g.Username
	}
	if g.Bearer {
		fmt.Fprintf(&out, "capability[]=authtype\nauthtype=Bearer\ncredential=%s\nephemeral=1\n", t.Secret)
	} else {
		fmt.Fprintf(&out, "username=%s\npassword=%s\n", username, t.Secret)
	}
	if !t.ExpiresAt.IsZero() {
		fmt.Fprintf(&out, "password_expiry_utc=%d\n", t.ExpiresAt.Unix())
	}
	return out.String()
}
