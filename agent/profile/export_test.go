package profile

// Decode is the reading of a profile that is not one of the built-in ones.
var Decode = decode

// ArgumentsAt is where arguments can be put into a command line; 0: nowhere.
func ArgumentsAt(p *Profile, command []string) int { return p.argumentsAt(command) }
