package evidence_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/google/go-cmp/cmp"
)

// divided are texts in which a line that looks like the next member may be none.
var divided = []string{
	"---\nopenapi: 3.1.0\npaths:\n  # none\n  /a:\n    get: {security: [{k: [a]}]}\n\n  /b:\n    get:\n      security:\n      - k:\n        - b\n  '/c': {}\n",
	"openapi: 3.1.0\ninfo:\n  description: \"one\n\n  paths: two\nserver: \\\n  three\"\npaths:\n  /a: {get: {}}\n",
	"openapi: 3.1.0\ninfo:\n  description: |\n    paths:\n  title: 'it''s\n    long'\n  version: >-\n     folded\n\n     text\npaths:\n  /a: {get: {}}\n",
	"# \x01\nopenapi: 3.1.0\npaths:\n  /a: {get: {}}\n",
	"openapi: 3.1.0\npaths: {\n/a: {get: {}},\n/b: {get: {security: [{k: [x]}]}}\n}\n",
	"openapi: 3.1.0\nx: &x {get: {security: [{k: [x]}]}}\npaths:\n  /a: *x\n  /b: &x {get: {}}\n  /c: *x\n",
	"openapi: 3.1.0\nx: &x\n  /a: {get: {}}\npaths:\n  <<: *x\n  /b: {get: {}}\n",
	"openapi: 3.1.0\nservers:\n- url: /v1\n- url: /v2\nsecurity:\n  - k: [x]\npaths:\n  ? /a\n  : get: {}\n  /b:\n    get: {}\n",
	"openapi: 3.1.0\npaths:\n  /a:\n    get: {}\n...\n---\nopenapi: 3.1.0\npaths: {}\n",
	"openapi: 3.1.0\npaths:\n    /a:\n      get: {}\n  /b:\n    get: {}\n",
	"openapi: 3.1.0\npaths:\n  ---\n  /a: {get: {}}\n",
	"---\n---\nopenapi: 3.1.0\npaths: {/a: {get: {}}}\n",
	"openapi: 3.1.0\r\npaths:\r\n  /a:\r\n    get: {}\r\n",
	"openapi: 3.1.0\ninfo:\n  title: a\r    b\npaths:\n  /a: {get: {}}\n",
	"openapi: 3.1.0\n{paths: {/a: {get: {}}}}\n",
	"openapi: 3.1.0\n? paths\n: {/a: {get: {}}}\n",
	"openapi: 3.1.0\npaths: '' # :\n  /a: {get: {}}\n",
	"openapi: 3.1.0\npaths: ~ # :\n  /a: {get: {}}\n",
	"openapi: 3.1.0\npaths: &p # :\n  /a: {get: {}}\nx: *p\n",
	"openapi: 3.1.0\npaths:\n  <<: {/a: {get: {}}}\n  /b: {get: {}}\n",
	"openapi: 3.1.0\n!!map\n  paths: {/a: {get: {}}}\n",
	"openapi: 3.1.0\rpaths:\r  /a:\r    get: {}\r",
	"openapi: 3.1.0\ninfo: a\u2028  b\npaths:\n  /a: {get: {}}\n",
	"openapi: 3.1.0\n: x\npaths:\n  /a: {get: {}}\n",
	"openapi: 3.1.0\npaths: &p\n  /a: {get: {}}\nx: !t\n  /b: {get: {}}\n",
	"openapi: 3.1.0\npaths:\n  /a: {$ref: '#/x/y'}\nx:\n  y:\n    get: {security: [{k: [x]}]}\n",
	"openapi: 3.1.0\npaths:\n  /a: {get: {}}\n  /a: {put: {}}\n",
}

func TestYAMLInParts(t *testing.T) {
	for _, text := range divided {
		sameInParts(t, text)
	}
}

func sameInParts(t *testing.T, text string) {
	whole, wholeErr := evidence.OpenAPI{}.ReadInParts("doc.yaml", strings.NewReader(text), 1<<26)
	parts, partsErr := evidence.OpenAPI{}.ReadInParts("doc.yaml", strings.NewReader(text), 1)
	if fmt.Sprint(wholeErr) != fmt.Sprint(partsErr) {
		t.Fatalf("%q\nwhole: %v\nparts: %v", text, wholeErr, partsErr)
	}
	if diff := cmp.Diff(whole, parts); diff != "" {
		t.Fatalf("%q: %s", text, diff)
	}
}

// A large document is never held in parsed form. When it is nearly read, and the file is
// opened to which its last path refers, there is little more than its text.
func TestOpenAPIMemory(t *testing.T) {
	var asYAML, asJSON strings.Builder
	asYAML.WriteString("openapi: 3.1.0\nsecurity:\n- k: []\npaths:\n")
	asJSON.WriteString(`{"openapi": "3.1.0", "paths": {`)
	for i := range 10_000 {
		fmt.Fprintf(&asYAML, "  /a%d:\n    get:\n      parameters:\n      - {name: a, in: query}\n      responses:\n        '200':\n          description: what comes back of one of the many things that a path of this kind is good for, %d\n          content:\n            application/json:\n              schema: {type: object}\n", i, i)
		fmt.Fprintf(&asJSON, `"/a%d": {"get": {"parameters": [{"name": "a", "in": "query"}], "responses": {"200": {"description": "what comes back of one of the many things that a path of this kind is good for, %d", "content": {"application/json": {"schema": {"type": "object"}}}}}}},`+"\n", i, i)
	}
	asYAML.WriteString("  /last: {$ref: last.yaml}\n")
	asJSON.WriteString(`"/last": {"$ref": "last.yaml"}}}`)
	for name, text := range map[string]string{"YAML": asYAML.String(), "JSON": asJSON.String()} {
		before, during := liveHeap(), 0
		reader := evidence.OpenAPI{Open: func(string) ([]byte, error) {
			during = liveHeap()
			return []byte("get: {}"), nil
		}}
		e, err := reader.Read("doc", strings.NewReader(text))
		if err != nil || len(e.Requirements) != 10_001 {
			t.Fatalf("%s: %d needs, %v", name, len(e.Requirements), err)
		}
		needs := 10_000 * 500 // what was found is kept
		if grown := during - before; grown > 2*len(text)+needs {
			t.Errorf("%s: a text of %d KiB takes %d KiB", name, len(text)>>10, grown>>10)
		}
	}
}

func liveHeap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// FuzzJSON: what is JSON reads as encoding/json reads it.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`{"a": [1, -2.5e3, true, null, "b\\"], "\u0063\/": {}}`, "\n[ ]\n", `"\\\"\\"`, "{\"a\":\t\r\n[[], {\"{[\": \"]}\"}]}", "0",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || !utf8.Valid(text) {
			return
		}
		var want any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asTexts(want), evidence.ReadJSON(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	})
}

// asTexts is a value with each number and truth as it is written.
func asTexts(value any) any {
	switch value := value.(type) {
	case nil:
		return nil
	case map[string]any:
		for key := range value {
			value[key] = asTexts(value[key])
		}
		return value
	case []any:
		for i := range value {
			value[i] = asTexts(value[i])
		}
		return value
	}
	return fmt.Sprint(value)
}
