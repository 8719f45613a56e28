//go:build !linux && !windows

package main

import "os"

// keepOutput is for Linux, where CI runs.
func keepOutput(*os.File) error { return nil }
