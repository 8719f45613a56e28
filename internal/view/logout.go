package view

// A Logout is ambit.logout/v1.
type Logout struct {
	Removed bool   `json:"removed"` // there was one
	Revoked bool   `json:"revoked"` // the server was told, and agreed
	Store   string `json:"store"`
	Remark  string `json:"remark"` // why it was not revoked
}

// Text implements [View].
func (v Logout) Text(p *Printer) {
	switch {
	case !v.Removed:
		p.line("nobody was logged in")
	case v.Revoked:
		p.line("logged out: revoked at the server, and removed from %s", v.Store)
	default:
		p.line("logged out: removed from %s; not revoked: %s", v.Store, v.Remark)
	}
}

// JSON implements [View].
func (v Logout) JSON(e Envelope) any {
	return struct {
		Envelope
		Logout
	}{e, v}
}
