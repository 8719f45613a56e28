//go:build !windows && !darwin

package cli

// onXDG tells that folders are those of the XDG base directory specification.
const onXDG = true
