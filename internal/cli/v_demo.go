package cli

// A demoView is ambit.demo/v1.
type demoView struct {
	Steps []demoStep `json:"steps"`
}

// A demoStep is a command that the demo ran, and how it ended.
type demoStep struct {
	Command string `json:"command"`
	Exit    int    `json:"exit"`
}

func (v demoView) text(p *printer) {
	p.line("")
	p.line("That was the whole story. Nothing of it is left on this machine.")
	p.line("To begin with your own: ambit init, then ambit plan. See README.md.")
}

func (v demoView) json(e envelope) any {
	return struct {
		envelope
		demoView
	}{e, v}
}
