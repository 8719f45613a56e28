package jsonedit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/jsonedit"
)

func TestSet(t *testing.T) {
	for _, tt := range []struct{ before, want string }{
		{"", "{\n  \"a\": {\n    \"b\": {\n      \"c\": 1\n    }\n  }\n}\n"},
		{"{}", "{\n  \"a\": {\n    \"b\": {\n      \"c\": 1\n    }\n  }\n}"},
		{"{\n\t\"x\": [1,2]\n}\n", "{\n\t\"x\": [1,2],\n\t\"a\": {\n\t\t\"b\": {\n\t\t\t\"c\": 1\n\t\t}\n\t}\n}\n"},
		{"{\n  \"a\": {\"z\":  1.50 },\n  \"x\": null\n}", "{\n  \"a\": {\"z\":  1.50,\n    \"b\": {\n      \"c\": 1\n    } },\n  \"x\": null\n}"},
		{"{\"a\" : {\"b\" : \"old\" , \"y\": 2}}", "{\"a\" : {\"b\" : {\n      \"c\": 1\n    } , \"y\": 2}}"},
		{"{\"a\": {\"b\": 1}, \"a\": {\"b\": 2}}", "{\"a\": {\"b\": 1}, \"a\": {\"b\": {\n      \"c\": 1\n    }}}"},
		{`{"x":1}`, `{"x":1,"a":{"b":{"c":1}}}`},
		{`{"a": {"x": 1}}`, `{"a": {"x": 1, "b": {"c":1}}}`},
		{"{\r\n  \"x\": 1\r\n}", "{\r\n  \"x\": 1,\r\n  \"a\": {\r\n    \"b\": {\r\n      \"c\": 1\r\n    }\r\n  }\r\n}"},
		{"{\"a\": {}}", "{\"a\": {\n    \"b\": {\n      \"c\": 1\n    }\n  }}"},
	} {
		got, err := jsonedit.Set([]byte(tt.before), []string{"a", "b"}, map[string]int{"c": 1})
		if err != nil || string(got) != tt.want {
			t.Errorf("%s\n got %s, %v\nwant %s", tt.before, got, err, tt.want)
		}
		again, err := jsonedit.Set(got, []string{"a", "b"}, map[string]int{"c": 1})
		if err != nil || string(again) != string(got) {
			t.Errorf("%s: a second time %s, %v", tt.before, again, err)
		}
	}
	for before, want := range map[string]string{
		"{\n  \"a\": x\n}": "line 2", "[1]": "not an object", "{\"a\": []}": "a is not an object", "null": "not an object", "{} {}": "not JSON",
	} {
		if got, err := jsonedit.Set([]byte(before), []string{"a", "b"}, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", before, got, err)
		}
	}
}

func FuzzSet(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"a": {"b": 1}}`, `{"a":{"b":{}},"a":{}}`, "{\"\\u0061\":{}}", "[", `{"a": 1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := jsonedit.Set([]byte(text), []string{"a", "b"}, "new")
		if err != nil {
			return
		}
		var all map[string]any
		if err := json.Unmarshal(got, &all); err != nil {
			t.Fatalf("%q became %q: %v", text, got, err)
		}
		inner, _ := all["a"].(map[string]any)
		if inner["b"] != "new" {
			t.Errorf("%q became %q", text, got)
		}
	})
}
