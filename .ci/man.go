//go:build ignore

// Command man writes the program's pages for man into a directory: go run .ci/man.go DIR
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/internal/cli"
)

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: go run .ci/man.go DIR")
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	for name, page := range cli.Manual() {
		if err := os.WriteFile(filepath.Join(args[0], name+".1"), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}
