package yamlfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Schema is the shape as a JSON Schema (draft 2020-12), for editors: members in the decoder's order.
func (s *Shape) Schema(title string) []byte {
	head := object{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}}
	var b strings.Builder
	whole := append(head, s.object()...)
	if len(s.known) > 0 {
		whole = append(whole, field{"$defs", object{{"known", object{{"anyOf", consts(s.known)}}}}})
	}
	write(&b, "", whole)
	return shown(b.String() + "\n")
}

// shown is JSON in which no character hides.
func shown(text string) []byte {
	var b bytes.Buffer
	for _, c := range text {
		if c == '\n' || unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.Bytes()
}

// An object is JSON with its members in the order in which they were written.
type object []field

type field struct {
	key   string
	value any
}

// lineWidth is how long a value may be that stands in one line.
const lineWidth = 160

// write writes an object or a list of them in one line, or else each member in one.
func write(b *strings.Builder, indent string, value any) {
	line, ends := oneLine(value), "{}"
	if list, is := value.([]object); is {
		ends = "[]"
		value = make(object, len(list))
		for i, o := range list {
			value.(object)[i].value = o
		}
	}
	members, is := value.(object)
	if !is || len(line) <= lineWidth {
		b.WriteString(line)
		return
	}
	for i, m := range members {
		b.WriteString(string(ends[0])[:1-min(i, 1)] + ","[:min(i, 1)] + "\n  " + indent)
		if m.key != "" {
			b.WriteString(oneLine(m.key) + ": ")
		}
		write(b, indent+"  ", m.value)
	}
	b.WriteString("\n" + indent + ends[1:])
}

func oneLine(value any) string {
	switch value := value.(type) {
	case object:
		members := make([]string, len(value))
		for i, m := range value {
			members[i] = oneLine(m.key) + ": " + oneLine(m.value)
		}
		return "{" + strings.Join(members, ", ") + "}"
	case []object:
		items := make([]string, len(value))
		for i, o := range value {
			items[i] = oneLine(o)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case []any:
		items := make([]string, len(value))
		for i, one := range value {
			items[i] = oneLine(one)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case []string:
		items := make([]string, len(value))
		for i, word := range value {
			items[i] = oneLine(word)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // a text, a number or a boolean
	return strings.TrimSuffix(b.String(), "\n")
}

// consts are schemas of one text each.
func consts(known []Known) []object {
	list := make([]object, len(known))
	for i, one := range known {
		list[i] = object{{"const", one.Text}}
		if one.About != "" {
			list[i] = append(list[i], field{"description", one.About})
		}
	}
	return list
}

func (s *Shape) object() object {
	if s.suggested {
		others := *s
		others.suggested, others.About = false, ""
		o := object{{"anyOf", []object{{{"$ref", "#/$defs/known"}}, others.object()}}}
		if s.About != "" {
			o = append(object{{"description", s.About}}, o...)
		}
		return o
	}
	var o object
	add := func(key string, value any, wanted bool) {
		if wanted {
			o = append(o, field{key, value})
		}
	}
	add("description", s.About, s.About != "")
	add("anyOf", objects(s.Any), len(s.Any) > 0)
	types := []string{s.Type}
	if s.Plain {
		types = append(types, "number", "boolean")
	}
	if s.Null {
		types = append(types, "null")
	}
	add("type", s.Type, s.Type != "" && len(types) == 1)
	add("type", types, len(types) > 1)
	var words []any
	for _, word := range s.Words {
		words = append(words, word)
	}
	if s.Null {
		words = append(words, nil)
	}
	add("enum", words, len(s.Words) > 0)
	add("pattern", s.Spelling.Pattern, s.Spelling.Pattern != "")
	add("format", "date", s.Spelling.Date)
	add("contentMediaType", "application/json", s.Spelling.JSON)
	add("not", object{{"pattern", s.Spelling.refused()}}, len(s.Spelling.Not) > 0)
	low, high := bounds(s.Type)
	add(low, s.Low, s.Low != 0)
	add(high, s.High, s.High != 0)
	if s.Type == "array" {
		add("uniqueItems", true, s.Distinct)
		add("items", s.Items.object(), true)
	}
	if s.Type == "object" {
		s.members(add)
	}
	return o
}

// bounds are the words for the least and the most of a type.
func bounds(of string) (low, high string) {
	switch of {
	case "integer":
		return "minimum", "maximum"
	case "array":
		return "minItems", "maxItems"
	case "object":
		return "minProperties", "maxProperties"
	}
	return "minLength", "maxLength"
}

// members adds what a schema says of an object.
func (s *Shape) members(add func(key string, value any, wanted bool)) {
	properties, needs := object{}, object{}
	keys := make([]string, len(s.Members))
	for i, m := range s.Members {
		properties = append(properties, field{m.Key, m.object()})
		keys[i] = m.Key
	}
	for _, pair := range s.Needs {
		needs = append(needs, field{pair[0], []string{pair[1]}})
	}
	required := s.required()
	add("required", required, len(required) > 0)
	add("anyOf", having(s.AnyOf), len(s.AnyOf) > 0)
	var choices []object
	for _, keys := range s.OneOf {
		var each []object
		for _, key := range keys {
			if key == "" {
				each = append(each, object{{"not", object{{"anyOf", slices.Clone(each)}}}})
			} else {
				each = append(each, object{{"required", []string{key}}})
			}
		}
		choices = append(choices, object{{"oneOf", each}})
	}
	add("allOf", choices, len(choices) > 0)
	add("dependentRequired", needs, len(needs) > 0)
	add("properties", properties, len(properties) > 0)
	switch {
	case s.Items == nil:
		add("additionalProperties", false, true)
		return
	case len(keys) > 0 && s.Names != nil:
		add("propertyNames", object{{"anyOf", []object{{{"enum", keys}}, s.Names.object()}}}, true)
	case s.Names != nil:
		add("propertyNames", s.Names.object(), true)
	}
	add("additionalProperties", s.Items.object(), true)
}

func having(ways [][]string) []object {
	var list []object
	for _, keys := range ways {
		list = append(list, object{{"required", keys}})
	}
	return list
}

func objects(shapes []*Shape) []object {
	list := make([]object, len(shapes))
	for i, s := range shapes {
		list[i] = s.object()
	}
	return list
}

// refused is a pattern of what the text is not.
func (w Spelling) refused() string {
	var b strings.Builder
	for i, word := range w.Not {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, c := range word {
			lower, upper := unicode.ToLower(c), unicode.ToUpper(c)
			switch {
			case c == '*':
				b.WriteString(".*")
			case w.AnyCase && lower != upper:
				b.WriteString("[" + string(upper) + string(lower) + "]")
			default:
				b.WriteString(strings.ReplaceAll(string(c), ".", `\.`))
			}
		}
	}
	return "^(" + b.String() + ")$"
}
