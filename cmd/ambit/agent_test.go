package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
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

func call(method, url, body string) (status int, text string) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
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
	read, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(read)
}
