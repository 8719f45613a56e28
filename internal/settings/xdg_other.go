//go:build windows || darwin

package settings

// onXDG tells that directories are those of the system's own rules.
const onXDG = false
