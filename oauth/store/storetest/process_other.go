//go:build !unix

package storetest

func (p *process) stop() bool { return false }

func (p *process) wake() {}

func (p *process) killPrograms() {}
