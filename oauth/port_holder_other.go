//go:build !linux

package oauth

// portHolders: there is no way to ask that needs no rights and no other program.
func portHolders(ports []int) []portHolder {
	holders := make([]portHolder, len(ports))
	for i, port := range ports {
		holders[i].port = port
	}
	return holders
}
