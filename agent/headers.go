package agent

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// authorization is the field in which a credential belongs (RFC 9110 §11.6.2); agents
// have others, which their profiles name.
const authorization = "Authorization"

// inspect tells what credentials a request carries: the lease, and the names of the
// fields in which there is another. A value is not kept.
func (p *Proxy) inspect(h http.Header) diagnosis.Sent {
	var sent diagnosis.Sent
	for _, name := range p.fields {
		for _, value := range h[name] {
			switch text := bearerOf(value); {
			case text == "":
			case p.lease.Equal(credential.NewSecret(text)):
				sent.Ours = true
			case !slices.Contains(sent.Others, name):
				sent.Others = append(sent.Others, name)
			}
		}
	}
	return sent
}

// bearerOf takes the scheme Bearer away (RFC 6750 §2.1; its case does not matter).
func bearerOf(value string) string {
	const scheme = "bearer "
	value = strings.TrimSpace(value)
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return strings.TrimSpace(value[len(scheme):])
	}
	return value
}

// lend takes every credential out of h and puts c in.
func (p *Proxy) lend(h http.Header, c *credential.Credential) {
	for _, name := range p.fields {
		delete(h, name)
	}
	h[authorization] = []string{"Bearer " + c.Access.Reveal()}
}

// credentialFields are the canonical names of the fields that carry credentials.
func credentialFields(profile *profile.Profile) []string {
	fields := []string{authorization}
	for _, name := range profile.Headers {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	return fields
}

// atMostGzip narrows Accept-Encoding (RFC 9110 §12.5.3) to what can be unpacked here,
// should the answer be a refusal.
func atMostGzip(h http.Header) {
	values, asked := h["Accept-Encoding"]
	if !asked {
		return
	}
	if acceptsGzip(values) {
		h["Accept-Encoding"] = []string{"gzip"}
	} else {
		h["Accept-Encoding"] = []string{"identity"}
	}
}

func acceptsGzip(values []string) bool {
	for _, value := range values {
		for coding := range strings.SplitSeq(value, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
				continue
			}
			q, weighed := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			if !weighed || strings.Trim(q, "0.") != "" {
				return true
			}
		}
	}
	return false
}
