package manual_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/internal/manual"
)

func sample() *cobra.Command {
	cmd := &cobra.Command{Use: "tool", Short: "does it", Long: strings.Repeat("many words ", 12) + "\n.dot and 'quote'\n\n    kept - as it is\n  " + strings.Repeat("and long ", 12), Run: func(*cobra.Command, []string) {}}
	cmd.Flags().String("color", "", "`auto|always|never` when to use color")
	cmd.Flags().String("into", "here", "the `FILE` that it writes")
	cmd.Flags().Int("many", 0, "how many of them there are, which is said in more words than fit beside it, and a dash - here")
	cmd.Flags().StringP("much", "m", "", "said")
	cmd.Flags().Bool("unseen", false, "not for people")
	_ = cmd.Flags().MarkHidden("unseen") // it is there
	return cmd
}

// A help names closed sets, values and defaults, and wraps what is long.
func TestHelp(t *testing.T) {
	got := manual.Help(sample(), "see\nelsewhere")
	for _, want := range []string{
		"\n      --color auto|always|never\n                     when to use color\n",
		"\n      --into FILE    the FILE that it writes (default here)\n",
		"\n      --many INT     how many of them there are, which is said in more words than fit\n                     beside it, and a dash - here (default 0)\n",
		"\n  -m, --much STRING  said\n",
		"\n    kept - as it is\n  and long and long", " and\n    long and long", "many words .dot and 'quote'\n\n", "\n\nsee\nelsewhere\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it has not %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "unseen") {
		t.Errorf("it has what is hidden:\n%s", got)
	}
}

// Nothing in a page is taken for a request of roff, and a hyphen can be copied.
func TestPage(t *testing.T) {
	got := manual.Page(sample(), "1.0", manual.Section{Title: "Other", Text: `a\b`})
	for _, want := range []string{
		"\n\\&.dot and 'quote'\n", "\n.nf\n    kept \\- as it is\n", "\\fB\\-\\-color auto|always|never\\fR\nwhen to use color\n", ".SH \"OTHER\"\n.nf\na\\eb\n.fi\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it has not %q:\n%s", want, got)
		}
	}
}
