package ambit_test

import (
	"testing"

	"github.com/ambit-auth/ambit"
)

// Where nobody is, nothing is asked and no browser opens: a login says so in place of waiting.
func TestTerminalWithoutAPerson(t *testing.T) {
	t.Setenv("CI", "true") // also where the tests run at a terminal
	ui := ambit.Terminal()
	if ui.Note == nil || ui.Ask != nil || ui.Open != nil || ui.Paste != nil {
		t.Errorf("notes %v; asks %v, opens %v, takes pastes %v", ui.Note != nil, ui.Ask != nil, ui.Open != nil, ui.Paste != nil)
	}
}
