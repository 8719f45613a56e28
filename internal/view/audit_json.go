package view

import (
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
)

// An auditJSON is ambit.audit/v1.
type auditJSON struct {
	Envelope
	Manifest manifestJSON        `json:"manifest"`
	Server   auditServerJSON     `json:"server"`
	Findings []auditFindingJSON  `json:"findings"`
	Matrix   []auditRowJSON      `json:"matrix"`
	Waived   []auditFindingJSON  `json:"waived"`
	Notes    []auditNoteJSON     `json:"notes"`
	Least    auditLeastJSON      `json:"least"`
	FailOn   []audit.FindingKind `json:"fail_on"`
	Holder   string              `json:"granted_by"` // whose the rows' "granted" is, in words; "" where no credential was at hand
	Changed  bool                `json:"changed"`    // the manifest was written
}

type auditServerJSON struct {
	Name            string                    `json:"name"`
	Issuer          string                    `json:"issuer"`
	ScopesSupported scopes.AdvertisementState `json:"scopes_supported"` // "" where the server could not be asked
}

type auditFindingJSON struct {
	Kind     audit.FindingKind `json:"kind"`
	Scope    string            `json:"scope"`
	Level    string            `json:"level"` // "" for a waiver
	File     string            `json:"file"`
	Line     int               `json:"line"`
	Evidence []string          `json:"evidence"`
	Message  string            `json:"message"`
	Near     []string          `json:"near,omitempty"`
}

type auditRowJSON struct {
	Scope      string            `json:"scope"`
	About      string            `json:"about"` // what it allows; "" where nobody says
	Declared   bool              `json:"declared"`
	Level      string            `json:"level"` // "" where it is not declared
	CoveredBy  string            `json:"covered_by"`
	Advertised scopes.Advertised `json:"advertised"`
	NeededBy   []string          `json:"needed_by"`
	API        bool              `json:"api"`
	MCP        bool              `json:"mcp"`
	Observed   bool              `json:"observed"`
	Granted    audit.Granted     `json:"granted"`
}

type auditNoteJSON struct {
	Where   string `json:"where"`
	Message string `json:"message"`
}

type auditLeastJSON struct {
	Scopes    scopes.Set `json:"scopes"`
	Needs     []needJSON `json:"needs"`      // the same, as a manifest declares them
	Kept      []string   `json:"kept"`       // names of declared needs besides, of operations that no source describes
	KeptNeeds []needJSON `json:"kept_needs"` // the same
}

// JSON implements [View].
func (v *Audit) JSON(e Envelope) any {
	m, server, f := v.Session.Manifest(), v.Session.Server(), v.Found
	out := auditJSON{
		Envelope: e,
		Manifest: manifestJSON{m.File, m.Name, append([]string{}, v.Session.Programs()...)},
		Server:   auditServerJSON{server.Name, server.Issuer, v.Server},
		Findings: findingsJSON(f.Findings), Waived: findingsJSON(f.Waived),
		Matrix: make([]auditRowJSON, len(f.Matrix)), Notes: make([]auditNoteJSON, len(f.Notes)),
		Least: auditLeastJSON{f.Least.Scopes, needsOf(f.Least.Needs), []string{}, needsOf(f.Least.Kept)}, FailOn: v.Failing, Holder: v.Holder, Changed: v.Changed,
	}
	for i, r := range f.Matrix {
		level := ""
		if r.Declared {
			level = r.Level.String()
		}
		out.Matrix[i] = auditRowJSON{r.Scope, r.About, r.Declared, level, r.CoveredBy, r.Advertised, r.NeededBy, r.API, r.MCP, r.Observed, r.Granted}
	}
	for i, n := range f.Notes {
		out.Notes[i] = auditNoteJSON{n.Where.String(), n.Message}
	}
	for _, n := range f.Least.Kept {
		out.Least.Kept = append(out.Least.Kept, n.Name())
	}
	return out
}

func findingsJSON(list []audit.Finding) []auditFindingJSON {
	out := make([]auditFindingJSON, len(list))
	for i, f := range list {
		level := ""
		if f.Level != nil {
			level = f.Level.String()
		}
		out[i] = auditFindingJSON{f.Kind, f.Scope, level, f.File, f.Line, f.Evidence, f.Message, f.Near}
	}
	return out
}
