package cli

// A logoutView is ambit.logout/v1.
type logoutView struct {
	Removed bool   `json:"removed"` // there was one
	Revoked bool   `json:"revoked"` // the server was told, and agreed
	Store   string `json:"store"`
	Remark  string `json:"remark"` // why it was not revoked
}

func (v logoutView) text(p *printer) {
	switch {
	case !v.Removed:
		p.line("nobody was logged in")
	case v.Revoked:
		p.line("logged out: revoked at the server, and removed from %s", v.Store)
	default:
		p.line("logged out: removed from %s; not revoked: %s", v.Store, v.Remark)
	}
}

func (v logoutView) json(e envelope) any {
	return struct {
		envelope
		logoutView
	}{e, v}
}
