package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// caller is an agent for scripts: it makes the calls that its arguments name, METHOD
// BASE/path or tool:NAME, through what its environment says, and tells what came. With the word
// "until" before it, a call is made again until it is refused. It ends with 7 at a
// refusal, unless its first argument is "-k".
func caller() {
	args, keep, code := os.Args[1:], false, 0
	if len(args) > 0 && args[0] == "-k" {
		args, keep = args[1:], true
	}
	for _, arg := range args {
		if arg == "proxy" {
			fmt.Println("the proxy is", os.Getenv("AMBIT_API_URL")+"/")
			continue
		}
		if arg == "env" {
			fmt.Println(strings.Join(os.Environ(), "\n"))
			continue
		}
		method, target, _ := strings.Cut(arg, " ")
		body := `{"model":"m","max_tokens":8,"messages":[{"role":"user","content":"hi"}]}`
		if strings.HasPrefix(method, "tools/") { // tools/call mcp NAME
			base, tool, _ := strings.Cut(target, " ")
			body = fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"name":%q,"arguments":{}}}`, method, tool)
			method, target = http.MethodPost, base
		}
		base, path, _ := strings.Cut(target, "/")
		url := os.Getenv("AMBIT_" + strings.ToUpper(base) + "_URL")
		if base != target {
			url += "/" + path
		}
		if tool, ok := strings.CutPrefix(arg, "tool:"); ok {
			method, url, body = "POST", os.Getenv("AMBIT_MCP_URL"), `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+tool+`"}}`
		}
		status, text := call(method, url, body)
		fmt.Printf("%s %d %s\n", arg, status, text)
		if status >= 400 {
			code = 7
			if !keep {
				os.Exit(code)
			}
		}
	}
	os.Exit(code)
}

// quill is the made-up agent of docs/agents.md: it asks the model at QUILL_URL, with its
// key in a header field of its own, and prints the reply.
func quill() {
	home, _ := os.UserHomeDir()
	settings := struct{ URL string }{os.Getenv("QUILL_URL")}
	if text, err := os.ReadFile(filepath.Join(home, ".quill.json")); err == nil {
		_ = json.Unmarshal(text, &settings)
	}
	request, err := http.NewRequest("POST", settings.URL+"/v1/chat/completions", strings.NewReader(`{"model":"m"}`))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Quill-Key", os.Getenv("QUILL_KEY"))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var reply struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if text, _ := io.ReadAll(answer.Body); json.Unmarshal(text, &reply) != nil || len(reply.Choices) == 0 {
		log.Fatalf("status %d: %s", answer.StatusCode, text)
	}
	fmt.Println(reply.Choices[0].Message.Content)
}

func call(method, url, body string) (status int, text string) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 599, err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("AMBIT_LEASE"))
	switch lease := os.Getenv("AMBIT_LEASE"); os.Getenv("LEASE_AS") {
	case "basic":
		request.SetBasicAuth("x-access-token", lease)
	case "token":
		request.Header.Set("Authorization", "token "+lease)
	case "query":
		request.Header.Del("Authorization")
		request.URL.RawQuery = "key=" + lease
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if key := os.Getenv("OTHER_KEY"); key != "" {
		request.Header.Set("X-Api-Key", key)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 599, err.Error()
	}
	defer answer.Body.Close()
	read, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(read)
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
		status, body := call("POST", os.Getenv("AMBIT_"+strings.ToUpper(base)+"_URL")+"/"+path, "")
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
