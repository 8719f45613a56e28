package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/spf13/cobra"
)

// demoAgentCommand is the agent of the demo: it makes the same call twice, as any
// agent would, with nothing but what its environment says.
func demoAgentCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:    "demo-agent METHOD BASE PATH",
		Hidden: true,
		Args:   cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			for turn := 1; turn <= 2; turn++ {
				status, err := demoCall(cmd.Context(), r, args[0], args[1], args[2])
				if err != nil {
					return err
				}
				fmt.Fprintf(r.Stdout, "agent: call %d of 2 was answered with %d\n", turn, status)
				if status >= http.StatusBadRequest {
					return childExit(exitFault)
				}
			}
			return nil
		},
	}
}

// demoQuestion is what the demo's agent asks of the model.
const demoQuestion = `{"model": "demo", "max_tokens": 16, "messages": [{"role": "user", "content": "hello"}]}`

func demoCall(ctx context.Context, r *invocation, method, base, path string) (status int, err error) {
	url := r.env.Get("AMBIT_"+strings.ToUpper(base)+"_URL") + path
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(demoQuestion))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+r.env.Get("AMBIT_LEASE"))
	request.Header.Set("Content-Type", "application/json")
	client, err := guard.NewClient(guard.Options{Timeout: visitTimeout})
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_ = files.Head(answer.Body, maxDemoAnswer) // or the proxy would see a client that went away
	return answer.StatusCode, nil
}

// ownProgram is a path of this program under its own name.
func ownProgram(folder string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	link := filepath.Join(folder, "ambit")
	if os.Symlink(self, link) != nil {
		return self, nil // a system without links
	}
	return link, nil
}

// maxDemoAnswer bounds what the demo's agent reads of a response, in bytes.
const maxDemoAnswer = 1 << 20
