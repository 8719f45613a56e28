package evidence_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/internal/refusal/refusaltest"
)

// A recorded refusal says what it says when it passes through the proxy, also where the
// recorder kept the body as it came.
func TestHARRefusals(t *testing.T) {
	tr := evidence.Traffic{Provider: refusaltest.Provider(t)}
	for _, c := range refusaltest.Cases() {
		for _, content := range []map[string]string{
			{"text": string(c.Response.Body)},
			{"text": base64.StdEncoding.EncodeToString(c.Response.Body), "encoding": "base64"},
		} {
			if c.Response.Header.Get("Content-Encoding") != "" && content["encoding"] == "" {
				continue // no text
			}
			e, err := tr.Read("session.har", strings.NewReader(harOf(t, c, content)))
			if err != nil || len(e.Traffic) != 1 || !slices.Equal(e.Traffic[0].Named, c.Named) {
				t.Errorf("%s (%s): %+v, %v; want %q", c.Name, content["encoding"], e.Traffic, err, c.Named)
			}
		}
	}
}

// harOf is a recording of one call that was refused.
func harOf(t *testing.T, c refusaltest.Case, content map[string]string) string {
	t.Helper()
	headers := []map[string]string{}
	for name, values := range c.Response.Header {
		for _, value := range values {
			headers = append(headers, map[string]string{"name": strings.ToLower(name), "value": value})
		}
	}
	text, err := json.Marshal(map[string]any{"log": map[string]any{"entries": []any{map[string]any{
		"request":  map[string]any{"method": "GET", "url": "https://api.example/things/"},
		"response": map[string]any{"status": c.Response.Status, "headers": headers, "content": content},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
