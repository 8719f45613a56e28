package replay

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

var filledIn = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{(?:([a-z_]+)|(now|time)([+-]\d+)|signed ([\w.-]+))\}`)
})

// fill puts the words of the scenario, and what a response may have besides, into a text.
func (s *Service) fill(text string, now time.Time) (string, error) {
	var errs []error
	text = filledIn().ReplaceAllStringFunc(text, func(word string) string {
		value, err := s.word(filledIn().FindStringSubmatch(word), now)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", word, err))
		}
		return value
	})
	return text, errors.Join(errs...)
}

func (s *Service) word(m []string, now time.Time) (string, error) {
	name, clock, seconds, claims := m[1], m[2], m[3], m[4]
	switch {
	case claims != "":
		return s.signed(claims, now)
	case clock != "":
		n, err := strconv.Atoi(seconds)
		at := now.Add(time.Duration(n) * time.Second)
		if clock == "time" {
			return at.UTC().Format(time.RFC3339), err
		}
		return strconv.FormatInt(at.Unix(), 10), err
	case name == "keys":
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signingKey().Public(), KeyID: keyID, Algorithm: string(jose.RS256), Use: "sig"}}})
		return string(text), err
	}
	value, is := s.words[name]
	if !is {
		return "", errors.New("no request had such a word")
	}
	return value, nil
}

const keyID = "made-up"

// signingKey signs ID tokens. It is made when one is needed, since no key stands in a public file.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
})

func (s *Service) signed(file string, now time.Time) (string, error) {
	text, err := s.File(file)
	if err != nil {
		return "", err
	}
	claims, err := s.fill(strings.TrimSpace(string(text)), now)
	if err != nil {
		return "", err
	}
	if !json.Valid([]byte(claims)) {
		return "", fmt.Errorf("%s is no JSON: %s", file, claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: signingKey(), KeyID: keyID}}, nil)
	if err != nil {
		return "", err
	}
	object, err := signer.Sign([]byte(claims))
	if err != nil {
		return "", err
	}
	return object.CompactSerialize()
}
