package metadata

import (
	"fmt"

	"github.com/ambit-auth/ambit/internal/text"
)

// identity reads the name of the one who speaks, which must be the one asked
// (RFC 8414 §3.3, RFC 9728 §3.3). One final slash more or less is
// the commonest mistake there is, and opens nothing: the host is the same.
func (r *reader) identity(field, asked string) string {
	says := r.Text(field)
	switch {
	case says == asked:
	case says == "":
		r.wrong = append(r.wrong, r.Require(field))
	case says == asked+"/" || says+"/" == asked:
		r.warn("the server's metadata says %s %s, but %s was asked: they differ by the final slash", field, text.Quote(says), text.Quote(asked))
	default:
		r.fail(field, fmt.Sprintf("is %s, but %s was asked", text.Quote(says), text.Quote(asked)))
	}
	return says
}
