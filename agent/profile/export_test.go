package profile

// ArgumentsAt is where arguments can be put into a command line; 0: nowhere.
func ArgumentsAt(p *Profile, command []string) int { return p.argumentsAt(command) }
