package apikey_test

import (
	"fmt"

	"github.com/ambit-auth/ambit/oauth/apikey"
)

// What people paste around a key is forgiven, with a word.
func ExampleRead() {
	key, err := apikey.Read(" \"Bearer abc_0123456789\"\n")
	fmt.Println(key.Secret.Mask("abc_"), err)
	for _, note := range key.Notes {
		fmt.Println("-", note)
	}
	_, err = apikey.Read("${API_KEY}")
	fmt.Println(err)
	// Output:
	// abc_*** <nil>
	// - spaces or a newline around the key were dropped
	// - quotes around the key were dropped
	// - "Bearer" in front of the key was dropped
	// the key is a placeholder, not a key
}
