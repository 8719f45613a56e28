package helper

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
)

// DockerNotFound is what a credential helper of docker prints where it has nothing for a server.
// Docker knows it by these words, and goes on without a credential.
const DockerNotFound = "credentials not found in native keychain"

// A Docker is the server about which docker asks its helper
// (github.com/docker/docker-credential-helpers), as docker writes it.
type Docker struct{ Server string }

// ReadDocker reads the server of a get or an erase.
func ReadDocker(from io.Reader) (Docker, error) {
	text, err := files.ReadAll(from, maxRequest)
	return Docker{Server: strings.TrimSpace(string(text))}, err
}

// ReadDockerStore reads what docker wants to be kept: the server, and the secret for it.
func ReadDockerStore(from io.Reader) (stored Docker, secret string, err error) {
	text, err := files.ReadAll(from, maxRequest)
	if err != nil {
		return Docker{}, "", err
	}
	var asked struct{ ServerURL, Secret string }
	if json.Unmarshal(text, &asked) != nil || asked.ServerURL == "" {
		return Docker{}, "", errors.New("it is not the JSON that docker writes")
	}
	return Docker{Server: asked.ServerURL}, asked.Secret, nil
}

// URL is the server's: docker leaves out the scheme of a registry.
func (d Docker) URL() string {
	if d.Server == "" || strings.Contains(d.Server, "://") {
		return d.Server
	}
	return "https://" + d.Server
}

// Answer gives docker the token, as the secret of username.
func (d Docker) Answer(username string, t Token) string {
	return line(struct{ ServerURL, Username, Secret string }{d.Server, username, t.Secret})
}

// DockerList answers with the servers for which there is a credential.
func DockerList(username string, servers []string) string {
	list := make(map[string]string)
	for _, server := range servers {
		list[server] = username
	}
	return line(list)
}

// line is a value as a line of JSON; <token>, which has a meaning as a username, stays as it is.
func line(value any) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // it is made of texts and times
	}
	return out.String()
}
