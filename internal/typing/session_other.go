//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package typing

import "errors"

// A session is not had here: the system's own line editor has no such limit, or is not known.
type session struct{ lines chan string }

func begin(*Keyboard) (*session, error) { return nil, errors.ErrUnsupported }

func (*session) read()     {}
func (*session) end()      {}
func (*session) hide(bool) {}
