package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// caller is an agent for scripts: it makes the calls that its arguments name, METHOD
// BASE/path, through what its environment says, and tells what came. With the word
// "until" before it, a call is made again until it is refused. It ends with 7 at a
// refusal, unless its first argument is "-k".
func caller() {
	args, keep, code := os.Args[1:], false, 0
	if len(args) > 0 && args[0] == "-k" {
		args, keep = args[1:], true
	}
	for _, arg := range args {
		if arg == "env" {
			fmt.Println(strings.Join(os.Environ(), "\n"))
			continue
		}
		method, target, _ := strings.Cut(arg, " ")
		base, path, _ := strings.Cut(target, "/")
		status, body := call(method, os.Getenv("AMBIT_"+strings.ToUpper(base)+"_URL")+"/"+path)
		fmt.Printf("%s %d %s\n", arg, status, body)
		if status >= 400 {
			code = 7
			if !keep {
				os.Exit(code)
			}
		}
	}
	os.Exit(code)
}

func call(method, url string) (status int, body string) {
	request, err := http.NewRequest(method, url, bytes.NewReader([]byte(`{"model":"m","max_tokens":8,"messages":[{"role":"user","content":"hi"}]}`)))
	if err != nil {
		return 599, err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("AMBIT_LEASE"))
	request.Header.Set("Content-Type", "application/json")
	if key := os.Getenv("OTHER_KEY"); key != "" {
		request.Header.Set("X-Api-Key", key)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 599, err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

// drawer is an agent that draws: it takes the alternate screen and the terminal's raw
// mode, makes a call that is refused, paints its answer into the middle, and asks for a key.
// q ends it tidily, k kills it, and t, i and h send ambit a signal: what a signal ends leaves
// the screen as it is.
func drawer() {
	raw, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		os.Exit(99)
	}
	fmt.Print("\x1b[?1049h\x1b[2J\x1b[Hagent: a screen of its own")
	for _, target := range os.Args[1:] {
		base, path, _ := strings.Cut(target, "/")
		status, body := call("POST", os.Getenv("AMBIT_"+strings.ToUpper(base)+"_URL")+"/"+path)
		fmt.Printf("\x1b[12;1Hagent: %d %.60s", status, body)
	}
	fmt.Print("\x1b[24;1H> ready")
	key := make([]byte, 1)
	io.ReadFull(os.Stdin, key)
	for name, s := range map[byte]syscall.Signal{'t': syscall.SIGTERM, 'i': syscall.SIGINT, 'h': syscall.SIGHUP} {
		if key[0] == name {
			sendTo(os.Getppid(), s)
			select {}
		}
	}
	if key[0] == 'k' {
		sendTo(os.Getpid(), syscall.SIGKILL)
	}
	fmt.Print("\x1b[?1049lbye")
	term.Restore(int(os.Stdin.Fd()), raw)
	os.Exit(7)
}

func sendTo(pid int, s os.Signal) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Signal(s)
	}
}
