package template

import "strings"

// Search reports whether a template stands somewhere in text, where {name} stands for any
// text, as little of it as will do; captured is what each stood for. A name at the end
// stands for all that follows.
func Search(template, text string) (captured map[string]string, ok bool) {
	before, rest, hole := strings.Cut(template, "{")
	_, text, ok = strings.Cut(text, before)
	captured = make(map[string]string)
	for ok && hole {
		var name, piece string
		name, rest, ok = strings.Cut(rest, "}")
		if !ok {
			return nil, false
		}
		piece, rest, hole = strings.Cut(rest, "{")
		value := text
		if piece != "" || hole {
			value, text, ok = strings.Cut(text, piece)
		}
		captured[name] = value
	}
	return captured, ok
}

// Match is [Search] for a template that stands for all of a text.
func Match(template, text string) (captured map[string]string, ok bool) {
	fixed, last := template, ""
	if end := strings.LastIndexByte(template, '}'); end >= 0 {
		fixed, last = template[:end+1], template[end+1:]
	}
	if !strings.Contains(fixed, "{") {
		return map[string]string{}, template == text
	}
	before, _, _ := strings.Cut(fixed, "{")
	if len(text) < len(before)+len(last) || !strings.HasPrefix(text, before) || !strings.HasSuffix(text, last) {
		return nil, false
	}
	return Search(fixed, strings.TrimSuffix(text, last))
}

// Names are those of a template, in its order. The error is a sentence about one in which
// something stands between braces that is no name, or that has one brace only.
func Names(template string) ([]string, error) {
	var names []string
	for rest := template; ; {
		before, inner, found := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return nil, errUnopened
		}
		if !found {
			return names, nil
		}
		name, after, closed := strings.Cut(inner, "}")
		if !closed || !isName(name) {
			return nil, errNoName
		}
		names, rest = append(names, name), after
	}
}

// Fill puts values into a template. A brace that does not begin a {name} of lower-case
// letters, digits, _ and - stays as it is, as those of JSON and TOML do. unknown is the first name that value
// does not know, "" where it knows all; what stands there then stays too.
func Fill(template string, value func(name string) (string, bool)) (filled, unknown string) {
	var text strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		text.WriteString(before)
		if !found {
			return text.String(), unknown
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !isName(name) {
			text.WriteByte('{')
			template = rest
			continue
		}
		v, known := value(name)
		if !known {
			v = "{" + name + "}"
			if unknown == "" {
				unknown = name
			}
		}
		text.WriteString(v)
		template = after
	}
}

// Mistaken is the first word in braces that [Fill] leaves as it is, though it was likely meant: one
// with capitals, spaces around it, in two pairs of braces, or with one brace only; "" where there is
// none.
func Mistaken(template string) string {
	if word := halfBraced(template); word != "" {
		return word
	}
	for {
		_, rest, found := strings.Cut(template, "{")
		if !found {
			return ""
		}
		template = rest
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "{"), "}")
		plain := strings.ToLower(strings.TrimSpace(name))
		twice := strings.HasPrefix(rest, "{") && strings.HasPrefix(after, "}")
		if closed && isName(plain) && (twice || plain != name) {
			if twice {
				return "{{" + name + "}}"
			}
			return "{" + name + "}"
		}
	}
}

// halfBraced is the first name at a brace that has no partner, with that brace; "" where there is none.
func halfBraced(template string) string {
	notName := func(r rune) bool { return !isName(string(r)) }
	var open []int
	for i, c := range template {
		switch {
		case c == '{':
			open = append(open, i+1)
		case c == '}' && len(open) > 0:
			open = open[:len(open)-1]
		case c == '}':
			if before := template[:i]; before[strings.LastIndexFunc(before, notName)+1:] != "" {
				return before[strings.LastIndexFunc(before, notName)+1:] + "}"
			}
		}
	}
	for _, i := range open {
		name := template[i:]
		if end := strings.IndexFunc(name, notName); end >= 0 {
			name = name[:end]
		}
		if name != "" {
			return "{" + name
		}
	}
	return ""
}

func isName(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}
