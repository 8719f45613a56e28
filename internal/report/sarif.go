package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/declared"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/audit"
)

// A sarifLog is the part of SARIF 2.1.0 that findings fill; the names are its own. (A
// library was weighed: it brings a validator and two schemas into the program, and
// writes every empty member.)
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"` // empty, not absent: absent would say that nobody looked (§3.14.23)
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string       `json:"id"`
	ShortDescription sarifMessage `json:"shortDescription"`
	Help             sarifMessage `json:"help"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifMessage      `json:"message"`
	Locations    []sarifLocation   `json:"locations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

	// fingerprintName is versioned, as §3.27.17 wants it: another recipe gets another name.
	fingerprintName = "ambitFinding/v1"
)

// SARIF shows findings as a SARIF 2.1.0 log of one run of a version of the program.
func SARIF(reports []Report, version string) any {
	r := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	r.Tool.Driver = sarifDriver{Name: "ambit", Version: version, Rules: []sarifRule{}}
	list := findingsOf(reports)
	for i, name := range fingerprints(list) {
		f := list[i]
		r.Results = append(r.Results, sarifResult{
			RuleID: f.Rule, RuleIndex: r.Tool.Driver.rule(f.Rule), Level: sarifLevel(f.Level),
			Message: sarifMessage{sarifText(f.Message)}, Locations: sarifLocations(f),
			Fingerprints: map[string]string{fingerprintName: name},
		})
	}
	return sarifLog{sarifSchema, "2.1.0", []sarifRun{r}}
}

// rule is the index of a rule, which is added where it is not there yet.
func (d *sarifDriver) rule(id string) int {
	if at := slices.IndexFunc(d.Rules, func(r sarifRule) bool { return r.ID == id }); at >= 0 {
		return at
	}
	short, help := ruleHelp(id)
	d.Rules = append(d.Rules, sarifRule{id, sarifMessage{short}, sarifMessage{help}})
	return len(d.Rules) - 1
}

// ruleHelp says what a rule finds, and what to do about it. The rules of an audit say that
// themselves.
func ruleHelp(id string) (short, help string) {
	for _, rule := range audit.Rules() {
		if string(rule.Kind) == id {
			return rule.Summary, rule.Help
		}
	}
	switch id {
	case "missing_scope":
		return "A declared scope is not granted.", "Use a credential that holds the scope; or lower its level in the manifest, if the program can do without it."
	case "excess":
		return "More is granted than declared.", "Take the scope away from the credential; or declare it in the manifest, if the program needs it."
	case "failure":
		return "The check failed.", "The message says why, and what to do."
	case "credential":
		return "It is not known what the credential holds.", "Give a credential of the right kind, for the right server, that has not expired; ambit status shows which one would be used."
	case "unasked":
		return "Nobody was asked whether the credential is still accepted.", "Where the server has a way to ask, name it as inspect in the provider file."
	case DriftVanished:
		return "The server no longer advertises a scope.", "Check whether the scope was renamed; then correct the manifest and run: ambit plan --lock."
	case "drift_new":
		return "The server advertises scopes that the lock file does not record.", "Look at them, then run: ambit plan --lock."
	case "drift_manifest":
		return "The outcome of the negotiation differs from the lock file.", "Look at what changed in the manifest, then run: ambit plan --lock."
	case "manifest":
		return "A manifest or provider file has a mistake.", "Correct the file at the place that is named."
	case "audit":
		return "The audit could not be completed.", "The message says why."
	case "drift_unknown":
		return "The lock file does not record this server or this choice of programs.", "Run: ambit plan --lock."
	case string(declared.OnlyInFile), string(declared.OnlyInManifest), string(declared.OtherLevel):
		return "A file of a platform declares other scopes than the manifest.", "Where the manifest is right, ambit export writes its scopes into the file; else correct the manifest."
	case "evidence":
		return "A source of evidence cannot be read.", "Correct the file at the place that is named."
	}
	return "The manifest and what the program does differ: " + strings.ReplaceAll(id, "_", " ") + ".", "The message says what differs; ambit explain says why a scope is declared."
}

func sarifLevel(s Severity) string {
	if s == Notice {
		return "note"
	}
	return s.word()
}

// sarifText keeps text from making a link of itself: a viewer reads [text](target)
// even in plain messages (§3.11.6).
func sarifText(line string) string { return strings.ReplaceAll(text.Printable(line), "](", "] (") }

func sarifLocations(f Finding) []sarifLocation {
	if f.File == "" {
		return nil
	}
	physical := sarifPhysical{Artifact: sarifArtifact{sarifURI(f.File)}}
	if f.Line > 0 {
		physical.Region = &sarifRegion{StartLine: f.Line, StartColumn: max(f.Column, 0)}
	}
	return []sarifLocation{{physical}}
}

// sarifURI is a file as a URI: relative to the directory in which the program runs, as
// readers of logs resolve it from the root of the repository; absolute where the file
// is elsewhere.
func sarifURI(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return (&url.URL{Path: filepath.ToSlash(file)}).String()
	}
	path := below(here, file)
	if filepath.IsLocal(path) {
		return (&url.URL{Path: path}).String()
	}
	if absolute, err := filepath.Abs(file); err == nil {
		path = filepath.ToSlash(absolute)
	}
	return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(path, "/")}).String()
}

// fingerprints name findings, each by another name: two of a kind are counted.
func fingerprints(list []Finding) []string {
	names, seen := make([]string, len(list)), make(map[string]int)
	for i, f := range list {
		name := fingerprint(f)
		seen[name]++
		names[i] = fmt.Sprintf("%s:%d", name, seen[name])
	}
	return names
}

// fingerprint names a finding by what it is about, so that it stays the same one when
// lines move and words change. A mistake of form is about nothing but its own words.
func fingerprint(f Finding) string {
	about := f.Scope
	if f.Rule == "manifest" || f.Rule == "evidence" {
		about = f.Message
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Rule, about, sarifURI(f.File)}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
