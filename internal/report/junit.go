package report

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// The members of a JUnit report that its readers share: GitLab, Jenkins, Azure Pipelines.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Failure *junitProblem `xml:"failure"`
	Skipped *junitProblem `xml:"skipped"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit shows each report as a suite: a case for each declared scope, and one for each finding that
// is about none. What does not make the run fail is skipped.
func JUnit(reports []Report) string {
	var all junitSuites
	for _, r := range reports {
		suite := junitOf(r)
		all.Suites = append(all.Suites, suite)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
	}
	out, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		panic(err) // plain structs of strings
	}
	return xml.Header + string(out) + "\n"
}

func junitOf(r Report) junitSuite {
	suite, told := junitSuite{Name: printableXML(r.Name)}, make(map[int]bool)
	add := func(name string, f *Finding) {
		c := junitCase{Class: suite.Name, Name: printableXML(name)}
		if f != nil {
			problem := &junitProblem{Message: printableXML(f.Message), Text: printableXML(whereIs(*f) + f.Message)}
			c.File = printableXML(f.File)
			if f.Level == Mistake {
				for _, step := range r.Steps {
					problem.Text += printableXML("; next: " + step.String())
				}
				c.Failure = problem
				suite.Failures++
			} else {
				c.Skipped = problem
				suite.Skipped++
			}
		}
		suite.Tests++
		suite.Cases = append(suite.Cases, c)
	}
	about := make(map[string]int)
	for i, f := range slices.Backward(r.Findings) {
		about[f.Scope] = i
	}
	for _, row := range r.Rows {
		var found *Finding
		if i, ok := about[row.Scope]; ok && !told[i] {
			found, told[i] = &r.Findings[i], true
		}
		add(fmt.Sprintf("%s (%s)", row.Scope, row.Level), found)
	}
	for i := range r.Findings {
		if !told[i] {
			f := &r.Findings[i]
			add(strings.TrimSpace(strings.ReplaceAll(f.Rule, "_", " ")+" "+f.Scope), f)
		}
	}
	if suite.Tests == 0 {
		add(r.Verdict, nil)
	}
	return suite
}

// printableXML is text on one line, without what XML cannot hold.
func printableXML(line string) string { return text.Line(line) }
