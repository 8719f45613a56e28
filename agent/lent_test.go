package agent_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
)

func TestLentCannotPrintItself(t *testing.T) {
	const secret = "phx_donottell"
	lent := key(secret, "user:read")
	inside := struct {
		Public  agent.Lent
		private agent.Lent
	}{lent, lent}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&out, verb+verb+verb, lent, &lent, inside)
	}
	text, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "lent", lent, "inside", inside)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "lent", lent, "inside", inside)
	if strings.Contains(out.String(), "donottell") || strings.Contains(out.String(), "646f6e") {
		t.Error(out.String())
	}
	if lent.Bearer() != secret || !lent.Same(key(secret)) || lent.Same(key("phx_other")) || (agent.Lent{}).Bearer() != "" {
		t.Error("it does not hold what it was given")
	}
}
