package provider

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/template"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// voice are the members of a provider that say how it refuses.
func (d *decoder) voice(p *Provider) []yamlfile.Member {
	change := func(read func(*Voice, *yaml.Node)) func(*yaml.Node) {
		return func(n *yaml.Node) {
			v := p.Voice()
			read(&v, n)
			p.voice = func() Voice { return v }
		}
	}
	return []yamlfile.Member{
		yamlfile.Optional("errors", change(func(v *Voice, n *yaml.Node) { v.Refusals, v.Denials = d.errors(n) }), "how the service refuses, and what that means; the first that fits counts"),
		yamlfile.Optional("refusal_body", change(func(v *Voice, n *yaml.Node) { v.Bodies = d.refusalBody(n, v.Bodies) }), "for each base, the JSON in which its clients expect an error; {message} stands for the words; or one for each of refused, credential, unreachable, request"),
	}
}

// maxErrors bounds errors: each response that may be a refusal is compared with each of them.
const maxErrors = 200

// errors reads how the APIs refuse, and, of items with a place or a code, how the authorization server does.
func (d *decoder) errors(n *yaml.Node) (refusals []Refusal, denials []Denial) {
	if d.tooMany(n, "errors", maxErrors) {
		return nil, nil
	}
	d.List(n, "errors", func(item *yaml.Node) {
		if d.Has(item, "place") || d.Has(item, "code") {
			denials = append(denials, d.denial(item))
		} else {
			refusals = append(refusals, d.refusal(item))
		}
	})
	return refusals, denials
}

func (d *decoder) refusal(n *yaml.Node) Refusal {
	var f Refusal
	before := d.Count()
	d.Mapping(n, "an error", append(d.sign(&f.Sign),
		yamlfile.Optional("base", func(v *yaml.Node) { f.Base = d.baseWord(v) }, "the only base that refuses in this way"),
		yamlfile.Optional("text", func(v *yaml.Node) { f.Text = d.textTemplate(v, "text") }, "a text anywhere in the body; {scope} stands for a scope that is missing"),
		yamlfile.Optional("needs", func(v *yaml.Node) { f.Needs = d.place(v, "needs") }, "where the response names the scopes that are needed: a path, or {header: NAME}"),
		yamlfile.Optional("holds", func(v *yaml.Node) { f.Holds = d.place(v, "holds") }, "where the response names the scopes that are held"),
		yamlfile.Required("means", func(v *yaml.Node) { f.Means = d.meaning(v) }, "why the request was refused; rejected: the credential is not accepted; silent: the service says this for every cause, so that a scope that is not held is likely missing, and not surely"),
		yamlfile.Optional("any_of", func(v *yaml.Node) { f.AnyOf = d.Boolean(v, "any_of") }, "any one of the scopes that the response names is enough, also in a challenge"),
		yamlfile.Optional("lists", func(v *yaml.Node) { f.Lists = d.caughtLists(v, f.caught()) }, "for each text that was caught and is a list, what stands between its items; advice has it in words"),
		yamlfile.Optional("advice", func(v *yaml.Node) { f.Advice = d.advice(v, f.caught()) }, "the first step about it; {name} is what a text caught"),
		yamlfile.Optional("link", func(v *yaml.Node) { f.Link = d.link(v, f.caught()) }, "the page on which it is done: an https URL, {base}/path, or {name} for what a text caught"),
	))
	if d.Count() == before {
		d.fitting(n, &f)
	}
	return f
}

// caughtLists reads how texts that were caught are lists.
func (d *decoder) caughtLists(n *yaml.Node, caught []string) (lists []CaughtList) {
	d.MappingAnd(n, "lists", nil, func(name, v *yaml.Node) {
		list := CaughtList{Name: name.Value}
		d.Mapping(v, "a list", []yamlfile.Member{
			yamlfile.Optional("or", func(v *yaml.Node) { list.Or = d.Text(v, "or") }, "what stands between alternatives"),
			yamlfile.Optional("and", func(v *yaml.Node) { list.And = d.Text(v, "and") }, "what stands between things of which all are needed"),
		})
		if !d.Describing() && !slices.Contains(caught, name.Value) {
			d.Mistake(name, yamlfile.BadValue, "lists has {%s}, which no text of this error catches", name.Value)
		}
		lists = append(lists, list)
	}, "the name of the text")
	return lists
}

// advice reads a sentence with names of the texts in it.
func (d *decoder) advice(n *yaml.Node, caught []string) string {
	written := d.textTemplate(n, "advice")
	names, _ := template.Names(written)
	for _, name := range names {
		if !slices.Contains(caught, name) {
			d.Mistake(n, yamlfile.BadValue, "advice has {%s}, which no text of this error catches", name)
			return ""
		}
	}
	return written
}

// fitting notes what would have an error fit nothing, or too much.
func (d *decoder) fitting(n *yaml.Node, f *Refusal) {
	success := slices.IndexFunc(f.Statuses, func(status int) bool { return status < http.StatusMultipleChoices })
	switch {
	case (len(f.At) > 0) != (len(f.Is) > 0):
		d.Mistake(n, yamlfile.MissingKey, `an error has "at" and "is", or neither`)
	case len(f.Statuses) == 0 && !f.Says() && !f.Needs.Given():
		d.Mistake(n, yamlfile.MissingKey, `an error names a "status", a "header", a "text", "at" and "is", or "needs": every response would fit this one`)
	case success >= 0 && !f.Says():
		d.Mistake(n, yamlfile.MissingKey, `an error with status %d has a "header", a "text", or "at" and "is": every response of success would fit this one`, f.Statuses[success])
	case f.Text != "" && !hasWord(f.Text):
		d.Mistake(n, yamlfile.BadValue, "text %q has no word of its own: every response would fit this one", f.Text)
	case len(f.Statuses) == 0 && f.Text == "" && len(f.Headers) == 0 && len(f.Is) > 0 && !slices.ContainsFunc(f.Is, hasWord):
		d.Mistake(n, yamlfile.MissingKey, `an error whose "is" has no word of its own names a "status" too: every error of the service would fit this one`)
	case f.Means != MeaningMissingScope && (f.Needs.Given() || f.AnyOf):
		d.Mistake(n, yamlfile.BadValue, `"needs" and "any_of" are for an error that means missing_scope`)
	}
}

// hasWord reports whether something of a text stands outside its names.
func hasWord(written string) bool {
	rest, _ := template.Fill(written, func(string) (string, bool) { return "", true })
	return strings.ContainsFunc(rest, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// refusalBody reads the shapes of errors, each in place of that which list has for its base.
func (d *decoder) refusalBody(n *yaml.Node, list []RefusalBody) []RefusalBody {
	list = slices.Clone(list)
	d.Named(n, "refusal_body", func(base, v *yaml.Node) {
		d.baseWords = append(d.baseWords, base)
		body := RefusalBody{Base: base.Value}
		if v.Kind == yaml.MappingNode {
			body.Of = make(map[Failing]string)
			d.Named(v, "refusal_body of "+base.Value, func(why, v *yaml.Node) {
				body.Of[Failing(d.Word(why, "reason", failings()))] = d.errorShape(base.Value, v)
			})
			body.JSON = body.Of[FailingRefused]
		} else {
			body.JSON = d.errorShape(base.Value, v)
		}
		list = append(slices.DeleteFunc(list, func(b RefusalBody) bool { return b.Base == body.Base }), body)
	})
	return list
}

func (d *decoder) errorShape(base string, n *yaml.Node) string {
	d.Is(n, yamlfile.Spelling{JSON: true, Example: `{"error": "{message}"}`})
	text := d.Text(n, "refusal_body")
	if text != "" && !json.Valid([]byte(text)) {
		d.Mistake(n, yamlfile.BadValue, "refusal_body of %q is not JSON", base)
	}
	return text
}

func (d *decoder) denial(n *yaml.Node) Denial {
	var f Denial
	d.Mapping(n, "an error with a place", []yamlfile.Member{
		yamlfile.Required("place", func(v *yaml.Node) { f.Stage = Stage(d.Word(v, "place", stages())) }, "which endpoint of the authorization server refuses"),
		yamlfile.Required("code", func(v *yaml.Node) { f.Code = d.Text(v, "code") }, "the error code (RFC 6749 §4.1.2.1, §5.2)"),
		yamlfile.Optional("text", func(v *yaml.Node) { f.Text = d.textTemplate(v, "text") }, "a text in its error_description"),
		yamlfile.Required("means", func(v *yaml.Node) { f.Means = d.meaning(v) }, "why it refuses"),
		yamlfile.Optional("advice", func(v *yaml.Node) { f.Advice = d.Text(v, "advice") }, "what to do about it"),
		yamlfile.Optional("link", func(v *yaml.Node) { f.Link = d.link(v, nil) }, "the page on which it is done"),
	})
	return f
}

func (d *decoder) meaning(n *yaml.Node) Meaning { return Meaning(d.Word(n, "meaning", meanings())) }

// link reads a URL with names of the texts in its path or query. It may begin with a base, or with
// what a text caught: nothing else says which host it leads to.
func (d *decoder) link(n *yaml.Node, caught []string) string {
	written := d.Text(n, "link")
	names, err := template.Names(written)
	if err != nil {
		d.Mistake(n, yamlfile.BadValue, "link: %v", err)
		return ""
	}
	leading, rest, begins := leadingName(written)
	if written == "" {
		return ""
	}
	if begins && !slices.Contains(caught, leading) {
		base := *n
		base.Value = "{" + leading + "}"
		d.template(&base, "link")
		names = names[1:]
	}
	filled, _ := template.Fill(strings.TrimPrefix(written, "{"+leading+"}"), func(string) (string, bool) { return "x", true })
	host := hostPart(written)
	switch {
	case begins && rest != "" && !strings.ContainsAny(rest[:1], "/?#"), !begins && strings.Contains(host, "{"):
		d.Mistake(n, yamlfile.BadValue, "link is a URL, {base}/path, or begins with a name that a text catches, and a name stands in no host; not %q", written)
		return ""
	case !begins && guard.CheckLink(filled) != nil:
		d.Mistake(n, yamlfile.BadValue, "link %v", guard.CheckLink(filled)) // not quoted: a password may stand there
		return ""
	}
	for _, name := range names {
		if !slices.Contains(caught, name) {
			d.Mistake(n, yamlfile.BadValue, "link: no text of the error catches {%s}", name)
			return ""
		}
	}
	return written
}

// hostPart is what stands in a URL before its path.
func hostPart(written string) string {
	scheme, rest, _ := strings.Cut(written, "://")
	return scheme + "://" + rest[:strings.IndexAny(rest+"/", "/?#")]
}
