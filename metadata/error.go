package metadata

import "github.com/ambit-auth/ambit/internal/guard"

// Error is what went wrong between a request and a usable document.
type Error = guard.Error
