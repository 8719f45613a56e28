package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// annotationsShown is how many annotations of a kind GitHub shows of one step; it
// drops the others without a word.
const annotationsShown = 10

// Annotations shows each verdict as a line of the log, and findings as workflow commands, which GitHub
// puts on the lines of the files in a pull request: the gravest first, with what to do about it all, and
// in the last line how many more there are than it would show. Files are named from workspace, where they
// are below it.
func Annotations(reports []Report, workspace string) string {
	var lines strings.Builder
	for _, r := range reports {
		if r.Verdict != "" && !saidBelow(r) {
			lines.WriteString(logLine(r, len(reports) > 1))
		}
	}
	var all []Finding
	for _, r := range reports {
		all = append(all, withSteps(r)...)
	}
	shown, more := foldAnnotations(gravestFirst(all))
	if more > 0 {
		text := fmt.Sprintf("%s not shown here: see the summary of this run, or -o text", text.Count(more, "more finding"))
		shown = append(shown, Finding{Rule: "more", Level: Notice, Message: text})
	}
	for _, f := range shown {
		lines.WriteString(annotation(f, workspace))
	}
	return lines.String()
}

// logLine is a report's verdict, with its line's end, and with the report's name where there are others.
// GitHub reads a command at the start of a line, and an older form of one, ##[, anywhere.
func logLine(r Report, named bool) string {
	line := "ambit: " + r.Verdict
	if named {
		line = "ambit: " + r.Name + ": " + r.Verdict
	}
	return strings.ReplaceAll(text.Printable(line), "##[", "## [") + "\n"
}

// saidBelow reports whether the verdict is what a finding says anyway.
func saidBelow(r Report) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return strings.HasPrefix(f.Message, r.Verdict) || f.Message != "" && strings.HasSuffix(r.Verdict, f.Message)
	})
}

// withSteps are the findings, the gravest first and with the steps.
func withSteps(r Report) []Finding {
	list := gravestFirst(r.Findings)
	if len(list) > 0 {
		for _, step := range r.Steps {
			list[0].Message += "\nnext: " + step.String()
		}
	}
	return list
}

func gravestFirst(list []Finding) []Finding {
	return slices.SortedStableFunc(slices.Values(list), func(a, b Finding) int { return cmp.Compare(b.Level, a.Level) })
}

// foldAnnotations keeps of each severity what GitHub shows, with room for one Notice
// of ours where that leaves something out.
func foldAnnotations(all []Finding) (shown []Finding, more int) {
	shown = all
	for _, level := range []Severity{Mistake, Warning, Notice} {
		shown = atMost(annotationsShown, level, shown)
	}
	if len(shown) < len(all) {
		shown = atMost(annotationsShown-1, Notice, shown)
	}
	return shown, len(all) - len(shown)
}

func atMost(room int, level Severity, list []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f Finding) bool {
		if f.Level != level {
			return false
		}
		room--
		return room < 0
	})
}

// annotation is one workflow command, with its line's end.
func annotation(f Finding, workspace string) string {
	var properties []string
	set := func(name, value string) { properties = append(properties, name+"="+escapeProperty(value)) }
	if f.File != "" {
		set("file", below(workspace, f.File))
	}
	if f.File != "" && f.Line > 0 {
		set("line", fmt.Sprint(f.Line))
		if f.Column > 0 {
			set("col", fmt.Sprint(f.Column))
		}
	}
	set("title", "ambit: "+strings.TrimSpace(strings.ReplaceAll(f.Rule, "_", " ")+" "+f.Scope))
	return "::" + f.Level.word() + " " + strings.Join(properties, ",") + "::" + escapeData(f.Message) + "\n"
}

// escapeData makes text fit for the message of a workflow command. A line of its own
// could be a command of its own.
func escapeData(line string) string {
	return text.Printable(strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(line))
}

// escapeProperty is escapeData for a property's value, which a colon or a comma ends.
func escapeProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(text))
}

// below is a file's path from a directory, with slashes, where it lies below that;
// else as it was named.
func below(directory, file string) string {
	absolute, err := filepath.Abs(file)
	if err == nil && directory != "" {
		if path, err := filepath.Rel(directory, absolute); err == nil && filepath.IsLocal(path) {
			return filepath.ToSlash(path)
		}
	}
	return filepath.ToSlash(filepath.Clean(file))
}
