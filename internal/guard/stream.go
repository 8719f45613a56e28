package guard

import (
	"encoding/json"
	"errors"
)

// errNoObject is the error of [Members] for any other value.
var errNoObject = errors.New("not an object")

// Members reads the object that comes next, without keeping it: it calls read for each key, to
// read the value.
func Members(d *json.Decoder, read func(key string) error) error {
	switch open, err := d.Token(); {
	case err != nil:
		return err
	case open != json.Delim('{'):
		return errNoObject
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if err := read(name); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// Skip reads over one value, without keeping it.
func Skip(d *json.Decoder) error {
	var nothing struct{}
	err := d.Decode(&nothing)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other {
		return nil // no object, but read over all the same
	}
	return err
}
