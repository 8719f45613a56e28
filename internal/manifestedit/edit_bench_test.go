package manifestedit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
)

// manyEntries are n new entries, for a manifest in block style and for one on one line.
func manyEntries(n int) (block, flow string, add []scopes.Need) {
	for i := range n {
		e := added()
		e.AnyOf = []string{fmt.Sprintf("thing_%d:read", i)}
		add = append(add, e)
	}
	return head + "scopes:\n  - scope: a\n    level: required\n", head + "scopes: [{scope: a, level: required}] # c\n", add
}

// addAll adds the entries to a text, and takes them out of a list in block style again.
func addAll(tb testing.TB, text string, add []scopes.Need) []byte {
	grown, err := editText([]byte(text), change{add: add})
	if err != nil {
		tb.Fatal(err)
	}
	if strings.Contains(text, "[") {
		return grown
	}
	if back, err := editText(grown, change{remove: add}); err != nil || string(back) != text {
		tb.Fatalf("added and removed again: %v\n%.1000s", err, back)
	}
	return grown
}

// However much is to be done, the text is parsed a handful of times: an edit of a
// thousand entries costs a few readings of the outcome, not a thousand. The bound has
// room for a slow machine and the race detector.
func TestEditMany(t *testing.T) {
	block, flow, add := manyEntries(1000)
	for _, text := range []string{block, flow} {
		start := time.Now()
		grown := addAll(t, text, add)
		edits := time.Since(start)
		start = time.Now()
		audittest.Decode(t, string(grown))
		if once := time.Since(start); edits > 100*once {
			t.Errorf("two edits took %v, one reading %v", edits, once)
		}
	}
}

// BenchmarkEdit: three times as much takes about three times as long.
func BenchmarkEdit(b *testing.B) {
	for _, n := range []int{300, 1000, 3000} {
		block, flow, add := manyEntries(n)
		b.Run(fmt.Sprintf("block-%d", n), func(b *testing.B) {
			for b.Loop() {
				addAll(b, block, add)
			}
		})
		b.Run(fmt.Sprintf("flow-%d", n), func(b *testing.B) {
			for b.Loop() {
				addAll(b, flow, add)
			}
		})
	}
}
