package guard_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/internal/guard"
)

func response(contentType, body string) *guard.Response {
	return &guard.Response{Status: 200, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
}

// Whatever type a body is said to have, it is read as what it is.
func TestBodies(t *testing.T) {
	for name, c := range map[string]struct{ kind, body, value string }{
		"JSON":                          {"application/json", `{"a": "é"}`, "é"},
		"text/plain":                    {"text/plain; charset=utf-8", `{"a": "b"}`, "b"},
		"text/html":                     {"text/html", ` {"a": "b"}`, "b"},
		"no type":                       {"", `{"a": "b"}`, "b"},
		"a type of no grammar":          {";;", `{"a": "b"}`, "b"},
		"a byte order mark":             {"application/json", "\xef\xbb\xbf" + `{"a": "b"}`, "b"},
		"ISO 8859-1":                    {"application/json; charset=ISO-8859-1", "{\"a\": \"\xe9\"}", "é"},
		"ISO 8859-1, not said":          {"application/json", "{\"a\": \"\xe9\"}", "é"},
		"UTF-8 said to be ISO 8859-1":   {"application/json; charset=ISO-8859-1", `{"a": "é"}`, "é"},
		"a form":                        {"application/x-www-form-urlencoded; charset=utf-8", "x=1&a=b%20c+d", "b c d"},
		"a form called text":            {"text/plain", "a=b&x=\n", "b"},
		"a form called HTML":            {"text/html", "a=b", "b"},
		"a form without a type":         {"", "a=b", "b"},
		"a form in ISO 8859-1":          {"application/x-www-form-urlencoded", "\xe9&\xea&a=%E9", "é"},
		"a form called JSON":            {"application/json", "x=1&a=b", "b"},
		"a form behind a mark":          {"application/x-www-form-urlencoded", "\xef\xbb\xbfa=b", "b"},
		"a form with a stray sign":      {"application/x-www-form-urlencoded", "x=100%&a=5%zz%41%4", "5%zzA%4"},
		"a form that says it twice":     {"application/x-www-form-urlencoded", "a=b&a=b", "b"},
		"JSON that says it twice":       {"application/json", `{"a":"b","a":"b"}`, "b"},
		"JSON called a form":            {"application/x-www-form-urlencoded", `{"a": "x=y"}`, "x=y"},
		"JSON with what a form has too": {"text/plain", `{"a":"x=y&z"}`, "x=y&z"},
	} {
		object, err := response(c.kind, c.body).Object()
		if err != nil || object.Text("a") != c.value || len(object.Notes()) > 0 {
			t.Errorf("%s: %v %v", name, object, err)
		}
	}
}

func TestBadBodies(t *testing.T) {
	packed := response("application/json", `{}`)
	packed.Header.Set("Content-Encoding", "br")
	if _, err := packed.Object(); err == nil || !strings.Contains(err.Error(), `is packed as "br"`) {
		t.Error(err)
	}
	for name, c := range map[string]struct{ kind, body, says string }{
		"nothing":             {"application/json", " \n", "is empty"},
		"HTML":                {"text/html", "<html>", "is a page of HTML"},
		"HTML called JSON":    {"application/json", "\n<!doctype html>", "is a page of HTML"},
		"words called HTML":   {"text/html", "sign in", "is a page of HTML"},
		"words":               {"text/plain", "Bad Gateway", "is not JSON"},
		"words with a sign":   {"text/plain", "x + 1 = 2", "is not JSON"},
		"half":                {"application/json", `{"a": "b`, "is JSON that ends in the middle"},
		"a list":              {"application/json", `[{"a": "b"}]`, "is JSON, but not an object"},
		"null":                {"application/json", `null`, "is JSON, but not an object"},
		"two":                 {"application/json", `{}{}`, "continues after the end of the JSON object"},
		"twice":               {"application/json", `{"scope": "a", "scope": "b"}`, `has "scope" twice`},
		"twice, by an escape": {"application/json", `{"scope": "a", "\u0073cope": "b"}`, `has "scope" twice`},
		"twice in a form":     {"", "scope=a&scope=b", `has "scope" twice`},
		"UTF-16":              {"application/json", "\xff\xfe{\x00}\x00", "is not JSON"},
	} {
		_, err := response(c.kind, c.body).Object()
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// What is there and empty is not absent, in JSON as in a form; null is.
func TestAbsentIsNotEmpty(t *testing.T) {
	for body, want := range map[string]bool{`{"scope": ""}`: true, "scope=&a=b": true, "scope&a=b": true, "a=b": false, `{}`: false, `{"scope": null}`: false} {
		object, err := response("", body).Object()
		if err != nil || object.Has("scope") != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A member comes in every form that servers give it; what is of no use is told and left out.
func TestValues(t *testing.T) {
	object, err := guard.ParseObject([]byte(`{"text": "a", "one": ["a"], "two": ["a", "b"], "words": "a b",
		"mixed": ["a", 12345678901234567890, null, {}], "yes": true, "word": "false", "other": "yes",
		"number": 3600, "float": 3.6e3, "string": " 3600 ", "endless": 1e999, "below": -5, "nothing": 0, "none": "x",
		"date": "2026-05-01T12:00:00+02:00", "seconds": 1900000000, "far": 1e18, "object": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	hour := time.Hour
	for name, c := range map[string]struct {
		got, want any
		note      string // "" for none
	}{
		"text":             {object.Text("text"), "a", ""},
		"a list of one":    {object.Text("one"), "a", ""},
		"a list of two":    {object.Text("two"), "", "two is an array, not a string"},
		"text of a number": {object.Text("number"), "", "number is a number, not a string"},
		"text that is not": {object.Text("absent"), "", ""},

		"a list":              {object.List("two"), []string{"a", "b"}, ""},
		"a string of words":   {object.List("words"), []string{"a", "b"}, ""},
		"long numbers":        {object.List("mixed"), []string{"a", "12345678901234567890"}, "mixed[2] is not a string"},
		"a list of an object": {object.List("object"), []string(nil), "object is an object, not an array of strings"},
		"a list that is not":  {object.List("absent"), []string(nil), ""},

		"yes":            {object.Flag("yes"), true, ""},
		"a word":         {object.Flag("word"), false, ""},
		"another word":   {object.Flag("other"), false, "other is a string, not a boolean"},
		"a flag, absent": {object.Flag("absent"), false, ""},

		"seconds":            {object.Seconds("number", 9*hour), hour, ""},
		"seconds, floating":  {object.Seconds("float", 9*hour), hour, ""},
		"seconds, a string":  {object.Seconds("string", 9*hour), hour, ""},
		"seconds without":    {object.Seconds("endless", 9*hour), 9 * hour, ""},
		"seconds below zero": {object.Seconds("below", 9*hour), time.Duration(0), ""},
		"seconds of nothing": {object.Seconds("nothing", 9*hour), time.Duration(0), ""},
		"seconds, a word":    {object.Seconds("none", 9*hour), time.Duration(0), "none is a string, not a number"},
		"seconds, absent":    {object.Seconds("absent", 9*hour), time.Duration(0), ""},

		"a date":         {object.Moment("date"), time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC), ""},
		"a moment":       {object.Moment("seconds"), time.Unix(1900000000, 0).UTC(), ""},
		"a far moment":   {object.Moment("far"), time.Time{}, ""},
		"a moment, word": {object.Moment("text"), time.Time{}, "text is a string, not a number"},

		"elements":           {len(object.Elements("mixed")), 4, ""},
		"elements of none":   {len(object.Elements("words")), 0, "words is a string, not an array"},
		"elements of absent": {len(object.Elements("absent")), 0, ""},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if notes := strings.Join(object.Notes(), "\n"); !strings.Contains(notes, c.note) {
			t.Errorf("%s: %q is not among %q", name, c.note, notes)
		}
	}
	if notes := object.Notes(); len(notes) != 9 {
		t.Errorf("%d notes: %q", len(notes), notes)
	}
}

// A list of thousands that are no words is no flood for whoever is told, and nothing is told twice.
func TestNotesAreBounded(t *testing.T) {
	object, err := guard.ParseObject([]byte(`{"list": [` + strings.Repeat("{},", 5000) + `{}]}`))
	if err != nil {
		t.Fatal(err)
	}
	object.List("list")
	object.List("list")
	notes := object.Notes()
	if len(notes) != 21 || notes[0] != "list[0] is not a string, and is left out" || notes[20] != "4981 more members are left out" {
		t.Errorf("%d notes: %q", len(notes), notes)
	}
}

// What was noted of a member that turns out to be needed is its error, and told once.
func TestRequire(t *testing.T) {
	object, err := guard.ParseObject([]byte(`{"a": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = object.Text("a")
	if got := object.Require("a").Error(); got != "a is a number, not a string" || len(object.Notes()) != 0 {
		t.Errorf("%q, %q", got, object.Notes())
	}
	if got := object.Require("b").Error(); got != "b is missing" {
		t.Errorf("%q", got)
	}
}

func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{"a": 1, "b": ["c", null], "d": "2026-05-01T00:00:00Z"}`, "a=b&d=1e9", "\xef\xbb\xbf{}", `{"a": "1e400"}`, `{"a":{"a":[[1]]}}`, "\xff{"} {
		for _, kind := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded"} {
			f.Add(kind, seed)
		}
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		object, err := response(kind, body).Object()
		if err != nil {
			return
		}
		again, err := guard.ParseObject(object.JSON())
		if err != nil {
			t.Fatalf("its own text is not read again: %v", err)
		}
		for _, name := range []string{"a", "b", "d"} {
			if object.Text(name) != again.Text(name) || object.Has(name) != again.Has(name) {
				t.Errorf("%s changed", name)
			}
			if life := object.Seconds(name, time.Hour); life < 0 || life > time.Hour {
				t.Errorf("%s lasts %s", name, life)
			}
			_, _, _ = object.List(name), object.Moment(name), object.Elements(name)
		}
	})
}
