package cli

import "testing"

func TestExampleReasons(t *testing.T) {
	reasons := exampleReasons()
	for scope, want := range map[string]string{
		"llm_gateway:read": "every model call of the agent",     // of the base
		"integration:read": "which integrations are connected?", // of a program
	} {
		if reasons[scope] != want {
			t.Errorf("%s: %q, want %q", scope, reasons[scope], want)
		}
	}
}
