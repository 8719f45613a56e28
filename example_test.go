package ambit_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ambit-auth/ambit"
)

// Log in for what scopes.yaml declares, and call the API; a refusal says which scope is
// missing.
func Example() {
	defer aSandbox("all")()
	if err := whoami(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: 200 OK
}

func whoami(ctx context.Context) error {
	manifest, err := ambit.Load("") // the nearest scopes.yaml
	if err != nil {
		return err
	}
	session, err := ambit.Open(manifest, ambit.Options{UI: terminal()})
	if err != nil {
		return err
	}
	if _, err := session.Find(ctx); errors.Is(err, ambit.ErrNoCredential) {
		if _, err := session.Login(ctx, nil); err != nil { // in the browser; kept in the keyring
			return err
		}
	}
	client, err := session.Client(ctx) // renews the token, and sends it to the provider's bases alone
	if err != nil {
		return err
	}
	api, _ := session.KeyServer().Base("api")
	response, err := client.Get(api + "/api/users/@me/")
	var refused *ambit.RefusedError
	if errors.As(err, &refused) {
		return fmt.Errorf("missing: %v; %w", refused.Missing(), refused)
	} else if err != nil {
		return err
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	return nil
}
