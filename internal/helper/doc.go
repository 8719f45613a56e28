// Package helper speaks the protocols in which other programs ask for a credential: git's and
// docker's helpers, the plugins of Kubernetes' clients, and the forms in which a shell and curl
// take one. It knows no credential and no host: it reads what is asked for, and words what is
// answered.
package helper

import (
	"time"

	"github.com/ambit-auth/ambit/internal/files"
)

// A Token is what is handed out.
type Token struct {
	Secret    string
	ExpiresAt time.Time // zero where that is not known
}

// maxRequest bounds what another program may ask: git ends a line at 64 KiB.
const maxRequest = 1 << 20

// tooLarge is what is longer.
const tooLarge = files.TooLargeError(maxRequest)
