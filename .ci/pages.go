//go:build ignore

// Pages writes what a package has beside the program: its pages for man into DIR/man, and what
// shells complete by into DIR/completions.
//
//	go run .ci/pages.go DIR
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ambit-auth/ambit/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: go run .ci/pages.go DIR"))
	}
	for name, page := range cli.Manual() {
		write(page, "man", name+".1")
	}
	for shell, file := range map[string]string{"bash": "ambit.bash", "zsh": "_ambit", "fish": "ambit.fish", "powershell": "ambit.ps1"} {
		var script strings.Builder
		c := cli.Command{Stdin: strings.NewReader(""), Stdout: &script, Stderr: os.Stderr}
		if code := c.Main(context.Background(), []string{"completion", shell}); code != 0 {
			os.Exit(code)
		}
		write(script.String(), "completions", file)
	}
}

func write(text string, path ...string) {
	file := filepath.Join(append([]string{os.Args[1]}, path...)...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		fail(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
