package apikey

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// maxKeyInput is what is read of a file or standard input: a hundred times any key,
// so that naming the wrong file does no harm.
const maxKeyInput = 64 << 10

// Sources are the places where a key may be, in the order in which they are looked
// at. The first that is there counts, even if what it holds is no key: a variable that
// is set and empty is how a missing secret looks in a pipeline.
type Sources struct {
	Value     *string                          // --api-key; nil: not given
	Stdin     io.Reader                        // for --api-key-stdin; nil: not given
	File      string                           // --api-key-file; "": not given
	Lookup    func(name string) (string, bool) // as [os.LookupEnv], for [credential.KeyVariable] and then Variables; nil: neither
	Variables []string                         // those that the provider names, in its order
}

// A Found is a key and where it was.
type Found struct {
	Text
	Source  string // for people: "the variable AMBIT_API_KEY", "--api-key"
	Exposed bool   // it stands on the command line, where other users of the machine can read it
}

// Find returns the key of the first source that is there: [ErrNone] where none is,
// and a *[BadKeyError] that names the source where what it holds is no key.
func Find(s Sources) (Found, error) {
	switch {
	case s.Value != nil:
		return found(Found{Source: "--api-key", Exposed: true}, *s.Value, Read)
	case s.Stdin != nil:
		return readFrom(Found{Source: "standard input"}, s.Stdin, Read)
	case s.File != "":
		return findInFile(s.File, Read)
	}
	if s.Lookup != nil {
		for _, name := range append([]string{credential.KeyVariable}, s.Variables...) {
			if text, ok := s.Lookup(name); ok {
				return found(Found{Source: "the variable " + name}, text, Read)
			}
		}
	}
	return Found{}, ErrNone
}

// SecretInFile is the secret of a client in a file, as [ReadSecret] reads it. The error is a
// *[BadKeyError].
func SecretInFile(path string) (Text, error) {
	k, err := findInFile(path, ReadSecret)
	return k.Text, err
}

// A reading takes a key, or a secret, out of what people paste around it.
type reading func(raw string) (Text, error)

// readFrom leaves out the newline that every text file ends with: there is nothing to
// forgive in it.
func readFrom(k Found, r io.Reader, read reading) (Found, error) {
	data, err := files.ReadAll(r, maxKeyInput)
	if err != nil {
		return unreadable(k, err)
	}
	return found(k, strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), read)
}

func unreadable(k Found, err error) (Found, error) {
	return Found{}, &BadKeyError{Source: k.Source, Problem: "cannot be read", Err: err}
}

func found(k Found, text string, read reading) (Found, error) {
	var err error
	k.Text, err = read(text)
	if bad, ok := errors.AsType[*BadKeyError](err); ok {
		bad.Source = k.Source
		return Found{}, bad
	}
	return k, nil
}

// findInFile notes that others can read the file too, and takes the key all the same:
// where the system hands secrets out in files, their mode is not the user's to choose. A
// pipe is read as well: a shell hands over <(the output of a command) as one.
func findInFile(path string, read reading) (Found, error) {
	k := Found{Source: fmt.Sprintf("the file %q", path)}
	file, err := files.Open(path, files.Rule{Links: true, Streams: true})
	if err != nil {
		return unreadable(k, files.Pathless(err)) // the path stands in the source's name
	}
	defer file.Close()
	k, err = readFrom(k, file, read)
	info, statErr := file.Stat()
	if err == nil && statErr == nil && info.Mode().IsRegular() && info.Mode().Perm()&files.OthersRead != 0 && runtime.GOOS != "windows" {
		k.Notes = append(k.Notes, fmt.Sprintf("other users of this machine can read it (mode %04o): chmod 0600 it", info.Mode().Perm()))
	}
	return k, err
}
