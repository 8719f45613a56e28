//go:build !windows && !darwin

package settings

// onXDG tells that directories are those of the XDG base directory specification.
const onXDG = true
