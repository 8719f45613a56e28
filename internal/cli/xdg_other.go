//go:build windows || darwin

package cli

// onXDG tells that folders are those of the system's own rules.
const onXDG = false
