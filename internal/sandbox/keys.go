package sandbox

import (
	"crypto/rand"
	"maps"
	"slices"
)

// A key is an API key, as it stands in the store.
type key struct {
	name, value  string
	shape        keyShape
	kind         keyKind
	scopes       []string
	region       string
	id           string
	unrestricted bool
}

// randomLength is how many letters follow a prefix: about 250 bits.
const randomLength = 43

// random draws letters and digits after a prefix. 256 is no multiple of 62, so some
// letters are likelier than others: no harm in what opens nothing.
func random(prefix string) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := make([]byte, randomLength)
	_, _ = rand.Read(text) // never fails (its documentation)
	for i, b := range text {
		text[i] = letters[int(b)%len(letters)]
	}
	return prefix + string(text)
}

// makeKeys draws the keys of the shape; home is the region in which they are known.
func makeKeys(s *shape, home string) map[string]*key {
	away := s.Regions[(slices.Index(s.Regions, home)+1)%len(s.Regions)]
	keys := make(map[string]*key)
	for _, name := range slices.Sorted(maps.Keys(s.Keys)) {
		k := &key{name: name, shape: s.Keys[name], kind: s.KeyKinds[s.Keys[name].Kind], region: home}
		if k.shape.Elsewhere {
			k.region = away
		}
		k.value, k.id = random(k.kind.Prefix), random("")[:12]
		k.scopes = s.scopesOf(k.shape)
		k.unrestricted = contains(k.scopes, s.Implies.All)
		keys[k.value] = k
	}
	return keys
}

// mask is how the service shows a key to its owner.
func (k *key) mask() string { return k.kind.Prefix + "..." + k.value[len(k.value)-4:] }
