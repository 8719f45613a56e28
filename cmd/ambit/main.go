// Command ambit negotiates the OAuth scopes that a program declares. See
// "ambit --help", or the README.
package main

import (
	"context"
	"os"

	"github.com/ambit-auth/ambit/internal/cli"
)

func main() {
	growStack()
	c := cli.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Environ(), Signals: true}
	os.Exit(c.Main(context.Background(), os.Args[1:]))
}

// growStack makes the stack grow at once to what reading a manifest needs. It would grow in
// steps, and each is a copy of every frame, which reads pages of the program's tables that
// nothing else needs: a twentieth of what a short command takes, and 0.7 MiB.
//
//go:noinline
func growStack() byte {
	var room [32 << 10]byte
	return room[len(os.Args)%len(room)]
}
