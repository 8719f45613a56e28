package refusal

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
)

// MaxBody is how much of a body is read, in bytes, packed or not: an error that says
// more than this says it earlier.
const MaxBody = 64 << 10

// Patience bounds the wait for the body of a refusal: someone waits for the verdict. The rest of
// the body then passes unread.
const Patience = 2 * time.Second

// maxNesting bounds how deep in a body something is looked for.
const maxNesting = 12

// unpack undoes a gzip Content-Encoding, as far as it goes: a body that was cut still
// says something. packed names another encoding, which is not undone.
func unpack(resp Response) (plain []byte, cut bool, packed string) {
	body := resp.Body
	switch encoding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))); {
	case encoding == "gzip" || encoding == "x-gzip":
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return body, false, "" // a recording has it unpacked
		}
		plain, err = io.ReadAll(files.Limit(unpacked, MaxBody))
		return plain, err != nil || len(plain) == MaxBody, ""
	case encoding == "" || encoding == "identity" || isText(body):
		length, _ := strconv.Atoi(resp.Header.Get("Content-Length")) // 0 where nobody says
		return body, len(body) >= MaxBody || length > len(body), ""
	default:
		return nil, false, encoding
	}
}

// uncut is a text without the word at which it was cut.
func uncut(said string) string {
	return said[:1+strings.LastIndexAny(said, " \t\r\n,;|\"'`(){}[]<>")]
}

// breaksOff reports whether a text is JSON that does not end.
func breaksOff(said string) bool {
	var value any
	err, is := errors.AsType[*json.SyntaxError](json.Unmarshal([]byte(said), &value))
	return is && strings.ContainsAny(said[:1], "{[") && err.Offset >= int64(len(said))
}

func isText(body []byte) bool { return utf8.Valid(body) && !bytes.ContainsRune(body, 0) }

// values are what a body holds, in the shapes that are common: JSON, also in the events of a
// stream and where it was not escaped; a form; XML; a page of HTML by its title; and anything
// else as one text. unread says why it cannot be read; "" where it can.
func values(resp Response) (list []any, unread string) {
	body, cut, packed := unpack(resp)
	body = resp.Veil.Bytes(body)
	if packed != "" && len(resp.Body) > 0 {
		return nil, "its body is compressed with " + packed + ", and was not read"
	}
	said := strings.TrimSpace(string(bytes.TrimPrefix(body, []byte("\ufeff"))))
	mediaType := mediaTypeOf(resp.Header)
	if said != "" && (cut || breaksOff(said)) {
		said = uncut(said)
	}
	switch {
	case said == "":
		return nil, ""
	case !isText([]byte(whole(said))):
		return nil, "its body is not text, and was not read"
	case mediaType == eventStream, strings.HasPrefix(said, "data:"), strings.HasPrefix(said, "event:"):
		return events(said), ""
	case mediaType == "application/x-www-form-urlencoded":
		return []any{formOf(said)}, ""
	case strings.HasPrefix(said, "<?xml"), strings.HasSuffix(mediaType, "xml") && !strings.Contains(mediaType, "html"):
		return elements(said), ""
	case guard.IsPage(mediaType, body):
		return pageTexts(said), ""
	}
	return []any{decoded(said)}, ""
}

// whole is a text without what is left at its end of a character that was cut.
func whole(said string) string {
	for cut := 1; cut < utf8.UTFMax && cut < len(said); cut++ {
		if utf8.RuneStart(said[len(said)-cut]) && !utf8.FullRuneInString(said[len(said)-cut:]) {
			return said[:len(said)-cut]
		}
	}
	return said
}

// decoded is the value of a text that may be JSON.
func decoded(said string) any {
	var value any
	if json.Unmarshal([]byte(said), &value) == nil {
		return value
	}
	if strings.HasPrefix(said, "{") {
		if pairs := pairsOf(said); len(pairs) > 0 {
			return pairs
		}
	}
	return said
}

// events are what the events of a stream carry.
func events(stream string) []any {
	var list []any
	var data []string
	for line := range strings.SplitSeq(stream+"\n\n", "\n") {
		line = strings.TrimSuffix(line, "\r")
		if rest, found := strings.CutPrefix(line, "data:"); found {
			data = append(data, strings.TrimPrefix(rest, " "))
		}
		if line == "" && len(data) > 0 && len(list) < maxTexts {
			list, data = append(list, decoded(strings.Join(data, "\n"))), nil
		}
	}
	return list
}

func formOf(said string) any {
	form, _ := url.ParseQuery(said) // what can be read of it
	members := make(map[string]any)
	for name := range form {
		members[name] = form.Get(name)
	}
	return members
}

// elements are the texts of XML, each under the name of its element.
func elements(said string) []any {
	var list []any
	for tag := range strings.SplitSeq(said, "<") {
		name, content, closed := strings.Cut(tag, ">")
		if content = strings.TrimSpace(content); !closed || content == "" || len(list) >= maxTexts {
			continue
		}
		name, _, _ = strings.Cut(name, " ")
		list = append(list, map[string]any{strings.ToLower(name[:min(1, len(name))]) + name[min(1, len(name)):]: content})
	}
	return list
}

// pairsOf are the members of what was meant to be JSON and is not, for its quotes were not
// escaped or it was cut: names in quotes before a colon, and texts up to a quote with which a
// value can end.
func pairsOf(said string) map[string]any {
	members := make(map[string]any)
	for rest := said; len(members) < maxTexts; {
		var name, value string
		var found bool
		if _, rest, found = strings.Cut(rest, `"`); !found {
			break
		}
		if name, value, found = strings.Cut(rest, `"`); !found {
			break
		}
		value, colon := strings.CutPrefix(strings.TrimSpace(value), ":")
		if !colon {
			continue
		}
		switch rest = strings.TrimSpace(value); {
		case strings.HasPrefix(rest, `"`):
			end := endOfText(rest[1:])
			members[name] = strings.ReplaceAll(rest[1:1+end], `\"`, `"`)
			rest = rest[min(len(rest), end+2):]
		case strings.HasPrefix(rest, "["):
			list, after, _ := strings.Cut(rest[1:], "]")
			members[name], rest = listOf(list), after
		}
	}
	return members
}

// endOfText is where a text ends whose quotes were not escaped: at a quote before a comma and
// the next name, or before a bracket.
func endOfText(text string) int {
	for at := 0; at < len(text); at++ {
		if text[at] != '"' || at > 0 && text[at-1] == '\\' {
			continue
		}
		after := strings.TrimLeft(text[at+1:], " \t\r\n")
		if after == "" || after[0] == '}' || after[0] == ']' {
			return at
		}
		if next, comma := strings.CutPrefix(after, ","); comma && strings.HasPrefix(strings.TrimLeft(next, " \t\r\n"), `"`) {
			return at
		}
	}
	return len(text)
}

func listOf(text string) any {
	list := []any{}
	for _, one := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '"' || c == ' ' }) {
		list = append(list, one)
	}
	return list
}

// pageTexts are what a page of HTML says, which comes from something in between as a rule: its
// title, and what can be read on it, as far as a reason would stand.
func pageTexts(html string) []any {
	title, seen := guard.Page, tags().ReplaceAllString(hiddenTexts().ReplaceAllString(html, " "), " ")
	if found := pageTitle().FindStringSubmatch(html); found != nil {
		if words := strings.Join(strings.Fields(found[1]), " "); words != "" {
			title += ": " + words
		}
	}
	list := []any{title}
	if words := strings.Fields(seen); len(words) > 0 {
		list = append(list, strings.Join(words[:min(len(words), farBack)], " "))
	}
	return list
}

var (
	pageTitle   = pattern(`(?is)<title[^>]*>(.*?)</`)
	hiddenTexts = pattern(`(?is)<(script|style|title)\b.*?</(script|style|title)\s*>`)
	tags        = pattern(`<[^>]*>?`)
)

// pattern is made when it is asked for the first time: most runs of the program read no page.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// enveloped is JSON within a text, whole or at its end.
func enveloped(said string) (value any, found bool) {
	inner, found := envelope(said)
	if !found || json.Unmarshal([]byte(inner), &value) != nil {
		return nil, false
	}
	return legible(value), true
}

// sortedPairs yields an object's members in the order of their names.
func sortedPairs(members map[string]any) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if !yield(key, members[key]) {
				return
			}
		}
	}
}
