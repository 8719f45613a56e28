package profile

// ArgumentsAt is where arguments can be put into a command line; 0: nowhere.
func ArgumentsAt(p *Profile, command Command) int { return p.argumentsAt(command) }
