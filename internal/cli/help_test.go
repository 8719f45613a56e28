package cli

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/internal/manual"
)

// everyCommand calls do for the root and each command that a person may call.
func everyCommand(do func(cmd *cobra.Command)) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		do(cmd)
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				walk(c)
			}
		}
	}
	walk(root(&invocation{}, nil))
}

// Each help fits a terminal, stands in a group, and lists no flag that every command has.
func TestHelps(t *testing.T) {
	topics := map[string]string{"exit-codes": exitCodesHelp(), "environment": environmentHelp(), "manifest": manifestHelp(), "flags": flagsHelp(root(&invocation{}, nil)), "misbehavior": misbehaviorHelp()}
	everyCommand(func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		topics[path] = manual.Help(cmd, closing(cmd))
		if before, _, _ := strings.Cut(topics[path], "\nUsage:"); strings.Count(before, "\n") > 14 && cmd.HasParent() {
			t.Errorf("%s: %d lines before the usage", path, strings.Count(before, "\n"))
		}
		if strings.Contains(topics[path], "\n      --ca-file") == cmd.HasParent() {
			t.Errorf("%s: the flags of all commands stand in the help of ambit alone", path)
		}
		if cmd.HasParent() && !cmd.Parent().HasParent() && cmd.GroupID == "" {
			t.Errorf("%s is in no group", path)
		}
		if line := "  completion  " + cmd.Short; len(line) > 88 || strings.HasSuffix(line, ".") {
			t.Errorf("%s: its line is not one, or is a sentence: %q", path, line)
		}
	})
	for name, help := range topics {
		for line := range strings.Lines(help) {
			if line = strings.TrimSuffix(line, "\n"); len([]rune(line)) > 88 || strings.TrimRight(line, " ") != line {
				t.Errorf("%s: a line of %d columns, or with a space at its end: %q", name, len([]rune(line)), line)
			}
		}
	}
}

// Each command has a page, in which no line is a request of roff by accident, and each flag stands.
func TestManual(t *testing.T) {
	pages := Manual()
	request := regexp.MustCompile(`^\.(TH|SH|TP|PP|nf|fi|nh|ad l)\b`)
	everyCommand(func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		page := pages[name]
		if cmd.Name() == "help" {
			return
		}
		if !strings.HasPrefix(page, ".TH ") || !strings.Contains(page, "\n.SH \"NAME\"\n"+strings.ReplaceAll(name, "-", `\-`)) {
			t.Errorf("%s has no page: %.60q", name, page)
		}
		if cmd.Flags().Lookup("strict") != nil && !strings.Contains(page, "\\fB\\-\\-strict\\fR\nexit 5") {
			t.Errorf("%s does not describe its flags: %s", name, page)
		}
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !request.MatchString(line) {
				t.Errorf("%s: roff would take this line for a request: %q", name, line)
			}
		}
	})
	if page := pages["ambit"]; !strings.Contains(page, "AMBIT_TRUST_HOST") || !strings.Contains(page, `.SH "EXIT STATUS"`) {
		t.Errorf("the page of ambit has no variables, or no exit codes: %s", page)
	}
}
