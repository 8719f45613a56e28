package cli

import (
	"strings"
	"testing"
)

// What stands in fenced code is no mark, however the fence is written; and a line that
// only looks like a fence hides none.
func TestExportFences(t *testing.T) {
	marks := marksBegin + "\n" + marksEnd + "\n"
	for _, before := range []string{
		"````md\n```\n" + marks + "````\n",
		"```\n" + marks + "```yaml\n" + marks + "  ```  \n",
		"~~~ a `b`\n```\n" + marks + "~~~ c\n~~~~\n",
		"```ambit scopes``` is a code span\n",
		"``\n",
	} {
		want := before + marksBegin + "\nT\n" + marksEnd + "\n"
		if got, err := betweenMarks("f", before+marks, "T\n"); err != nil || got != want {
			t.Errorf("%q becomes %q: %v", before+marks, got, err)
		}
		crlf := strings.ReplaceAll(before+marks, "\n", "\r\n")
		if got, err := betweenMarks("f", crlf, "T\n"); err != nil || got != strings.ReplaceAll(want, "\n", "\r\n") {
			t.Errorf("%q becomes %q: %v", crlf, got, err)
		}
	}
}
