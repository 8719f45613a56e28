package view

// A View is a result that can be shown: for people, or as the contract's JSON. Both
// render the same value.
type View interface {
	Text(p *Printer)
	JSON(e Envelope) any
}

// An Envelope is what every JSON answer has.
type Envelope struct {
	Schema string `json:"schema"`
	OK     bool   `json:"ok"`
	Error  *Error `json:"error,omitempty"`

	Verdict *Cause `json:"verdict,omitempty"` // why a credential does not do
}

// An Error is a failure in JSON.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// ErrorOf is a failure as the error of an [Envelope].
func ErrorOf(f *Failure) *Error { return &Error{f.Code, f.Message, f.Hint} }
