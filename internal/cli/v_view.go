package cli

// A view is a result that can be shown: for people, or as the contract's JSON. Both
// render the same value.
type view interface {
	text(p *printer)
	json(e envelope) any
}

// An envelope is what every JSON answer has.
type envelope struct {
	Schema string     `json:"schema"`
	OK     bool       `json:"ok"`
	Error  *errorJSON `json:"error,omitempty"`

	Verdict *verdict `json:"verdict,omitempty"` // why a credential does not do
}

type errorJSON struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}
