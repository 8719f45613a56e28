package view

// A Demo is ambit.demo/v1.
type Demo struct {
	Steps []DemoStep `json:"steps"`
}

// A DemoStep is a command that the demo ran, and how it ended.
type DemoStep struct {
	Command string `json:"command"`
	Exit    int    `json:"exit"`
}

// Text implements [View].
func (v Demo) Text(p *Printer) {
	p.line("")
	p.line("Done: nothing of it is left on this machine. To begin with your own: ambit init")
}

// JSON implements [View].
func (v Demo) JSON(e Envelope) any {
	return struct {
		Envelope
		Demo
	}{e, v}
}
