package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// A key that lacks a scope is refused in the provider's words.
func ExampleStart() {
	s, err := sandbox.Start(context.Background(), sandbox.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	req, _ := http.NewRequest("POST", s.Ready().API+"/api/projects/1/insights/", nil)
	req.Header.Set("Authorization", "Bearer "+s.Ready().Keys.ReadOnly)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(text))
	// Output: 403 {"type":"authentication_error","code":"permission_denied","detail":"API key missing required scope 'insight:write'","attr":null}
}
