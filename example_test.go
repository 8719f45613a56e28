package ambit_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/ambit-auth/ambit"
)

func main() {
	log.SetFlags(0)
	session, err := ambit.Open("", ambit.Options{UI: terminal()}) // the nearest scopes.yaml
	if err != nil {
		log.Fatal(err)
	}
	client, err := session.Client(context.Background()) // where nobody is logged in, it opens the browser
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Get(client.URL("{api}/api/users/@me/")) // with a token that is renewed in time
	if refused, ok := errors.AsType[*ambit.RefusedError](err); ok {
		log.Fatalf("%v\nmissing scopes: %q", refused, refused.Missing())
	} else if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
}

// Log in for what scopes.yaml declares, and call the API; a refusal says which scope is
// missing. The main above it is the whole program.
func Example() {
	defer aSandbox("all")()
	main()
	// Output: 200 OK
}
