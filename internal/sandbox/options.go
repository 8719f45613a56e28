package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Options say how a sandbox starts. The zero value is a well-behaved one on free ports
// of 127.0.0.1 whose consent page waits for a click, and which writes no manifest.
type Options struct {
	// Listen is the address of the authorization server that knows every region, as
	// host:port; the others get free ports on the same host. It must be loopback. Default
	// 127.0.0.1:0.
	Listen string
	// Grant consents without a click: "all" grants what was asked, "none" denies, and a
	// list of scopes separated by spaces grants those of them that were asked, and no
	// other, pinned or not. Default "": the page waits.
	Grant string
	// Misbehave lists what goes wrong, each as kind or kind@part; see [Kinds].
	Misbehave []string
	// Region is where the person who consents lives, and where the keys are known.
	// Default: the first region of the shape, "us".
	Region string
	// Manifest is the text of a scopes.yaml. It is written out with its provider pointed
	// at the sandbox, every other byte as it was. nil: none is written.
	Manifest []byte
	// Reasons are why scopes are asked for, by their names, as the consent page says it. nil: it names
	// the scopes alone.
	Reasons map[string]string
	// Dir is where manifest and provider file are written; it must not hold files of
	// these names. Default: a new temporary directory, removed by Close.
	Dir string
	// Log, where not nil, is called for every request once the answer begins, maybe by
	// many goroutines at once.
	Log func(Request)
	// Now is the sandbox's clock, read by many goroutines at once. Default [time.Now].
	Now func() time.Time
}

const defaultListen = "127.0.0.1:0"

// How consent is given.
const (
	grantAsk = iota
	grantAll
	grantNone
	grantThese
)

type grantMode struct {
	how    int
	scopes []string
}

func parseGrant(s *shape, text string) (grantMode, error) {
	switch text {
	case "":
		return grantMode{how: grantAsk}, nil
	case "all":
		return grantMode{how: grantAll}, nil
	case "none":
		return grantMode{how: grantNone}, nil
	}
	scopes := strings.Fields(text)
	for _, scope := range scopes {
		if !s.knows(scope) {
			return grantMode{}, fmt.Errorf("grant: the sandbox has no scope %q", scope)
		}
	}
	return grantMode{grantThese, scopes}, nil
}

func parseRegion(s *shape, region string) (string, error) {
	if region == "" {
		return s.Regions[0], nil
	}
	if !slices.Contains(s.Regions, region) {
		return "", fmt.Errorf("unknown region %q; known are %s", region, strings.Join(s.Regions, ", "))
	}
	return region, nil
}
