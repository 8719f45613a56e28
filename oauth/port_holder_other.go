//go:build !linux

package oauth

// portHolders: there is no way to ask that needs no rights and no other program.
func portHolders(ports []int) []TakenPort {
	taken := make([]TakenPort, len(ports))
	for i, port := range ports {
		taken[i].Port = port
	}
	return taken
}
