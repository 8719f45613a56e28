package store

import (
	"context"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/zalando/go-keyring"
)

// clientService is the name under which the items of users stand. It is not that of the
// credentials that ambit keeps: a file that names an item can name none of those.
const clientService = "ambit-client"

// ClientSecret returns the secret of a client that the user put into the system's keyring by hand,
// under the service "ambit-client" and an account. Errors: [ErrNotFound]; *[NoKeyringError].
func ClientSecret(ctx context.Context, account string) (credential.Secret, error) {
	item, err := askKeyring(ctx, func() (string, error) { return keyring.Get(clientService, account) })
	return credential.NewSecret(item), err
}
