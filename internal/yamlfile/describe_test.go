package yamlfile_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// What a decoder does with its Reader is what the schema says: types, words and bounds, members that it has
// no line about, one thing or another in one place, and what hangs on a member that is there.
func TestSchemaIsWhatTheDecoderReads(t *testing.T) {
	for name, test := range map[string]struct {
		read func(r *yamlfile.Reader, n *yaml.Node)
		want string
	}{
		"members": {func(r *yamlfile.Reader, n *yaml.Node) {
			r.Mapping(n, "it", []yamlfile.Member{
				yamlfile.Required("word", func(v *yaml.Node) { r.Word(v, "word", []string{"a", "b"}) }, "a word"),
				yamlfile.Optional("port", func(v *yaml.Node) { r.Number(v, "port", 1, 99) }),
				yamlfile.Optional("raw", func(*yaml.Node) {}),
			})
		}, `{"type":"object","required":["word"],"properties":{"word":{"description":"a word","type":"string","enum":["a","b"]},"port":{"type":"integer","minimum":1,"maximum":99},"raw":{}},"additionalProperties":false}`},
		"one or a list": {func(r *yamlfile.Reader, n *yaml.Node) {
			if n.Kind != yaml.SequenceNode {
				r.Boolean(n, "one")
				return
			}
			r.List(n, "list", func(item *yaml.Node) { r.Boolean(item, "one") })
			r.AtLeast(n, 2, "too few")
		}, `{"anyOf":[{"type":"boolean"},{"type":"array","minItems":2,"items":{"type":"boolean"}}]}`},
		"another form with a member": {func(r *yamlfile.Reader, n *yaml.Node) {
			if r.Has(n, "file") {
				r.Mapping(n, "it", []yamlfile.Member{yamlfile.Optional("file", func(v *yaml.Node) { r.Text(v, "file") })})
				return
			}
			r.Named(n, "it", func(name, v *yaml.Node) {
				r.Is(name, yamlfile.Spelling{Pattern: "^[a-z]+$", Not: []string{"x*", "y.z"}, AnyCase: true})
				r.Text(v, "it")
			})
		}, `{"anyOf":[{"type":"object","propertyNames":{"type":"string","pattern":"^[a-z]+$","not":{"pattern":"^([Xx].*|[Yy]\\.[Zz])$"},"minLength":1,"maxLength":100},"additionalProperties":{"type":"string","minLength":1}},` +
			`{"type":"object","required":["file"],"properties":{"file":{"type":"string","minLength":1}},"additionalProperties":false}]}`},
		"the same members, others required": {func(r *yamlfile.Reader, n *yaml.Node) {
			r.Mapping(n, "it", []yamlfile.Member{
				yamlfile.Optional("use", func(*yaml.Node) {}),
				{Key: "own", Required: !r.Has(n, "use"), Read: func(*yaml.Node) {}},
			})
			r.OneOf(n, "it", "a", "b")
			r.AtMostOne(n, "it", "c", "d")
			r.Needs(n, "a", "b", "alone")
		}, `{"type":"object","anyOf":[{"required":["own"]},{"required":["use"]}],"allOf":[{"oneOf":[{"required":["a"]},{"required":["b"]}]},` +
			`{"oneOf":[{"required":["c"]},{"required":["d"]},{"not":{"anyOf":[{"required":["c"]},{"required":["d"]}]}}]}],"dependentRequired":{"a":["b"]},"properties":{"use":{},"own":{}},"additionalProperties":false}`},
		"members and other names": {func(r *yamlfile.Reader, n *yaml.Node) {
			r.MappingAnd(n, "it", []yamlfile.Member{yamlfile.Optional("own", func(v *yaml.Node) { r.Boolean(v, "own") })}, func(_, v *yaml.Node) { r.Version(v, "2") })
		}, `{"type":"object","properties":{"own":{"type":"boolean"}},"propertyNames":{"anyOf":[{"enum":["own"]},{"type":"string","pattern":"NAME","minLength":1,"maxLength":100}]},"additionalProperties":{"type":"integer","minimum":2,"maximum":2}}`},
	} {
		got := string(yamlfile.Describe(test.read).Schema(name))
		if diff := cmp.Diff(compact(t, test.want), compact(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// compact is a schema without what every schema has.
func compact(t *testing.T, schema string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(schema)); err != nil {
		t.Fatal(err, schema)
	}
	text := regexp.MustCompile(`^{"\$schema":"[^"]*","title":"[^"]*",`).ReplaceAllString(b.String(), "{")
	return regexp.MustCompile(`"pattern":"\^\[\^\\\\x00[^"]*"`).ReplaceAllString(strings.ReplaceAll(text, ",\"", ",\n\""), `"pattern":"NAME"`)
}
