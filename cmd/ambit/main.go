// Command ambit negotiates the OAuth scopes that a program declares. See
// "ambit --help", or the README.
package main

import (
	"context"
	"os"

	"github.com/ambit-auth/ambit/internal/cli"
)

func main() {
	c := cli.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Environ(), Signals: true}
	os.Exit(c.Main(context.Background(), os.Args[1:]))
}
