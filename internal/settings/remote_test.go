package settings

import "testing"

// Where no page can be shown is told by the environment and two files alone.
func TestRemote(t *testing.T) {
	const ssh, container, display = "this is an SSH session", "this is a container", "this machine has no display"
	for name, tt := range map[string]struct {
		system, file string
		env          Environment
		want         string
	}{
		"a desktop":                   {"linux", "", Environment{"DISPLAY=:0"}, ""},
		"Wayland":                     {"linux", "", Environment{"WAYLAND_DISPLAY=wayland-0"}, ""},
		"a console":                   {"linux", "", nil, display},
		"BSD":                         {"freebsd", "", Environment{"DISPLAY="}, display},
		"macOS":                       {"darwin", "", nil, ""},
		"Windows":                     {"windows", "", nil, ""},
		"SSH":                         {"linux", "", Environment{"SSH_CONNECTION=1.2.3.4 5 6.7.8.9 22", "SSH_TTY=/dev/pts/1"}, ssh},
		"SSH to a desktop, forwarded": {"linux", "", Environment{"SSH_TTY=/dev/pts/1", "DISPLAY=localhost:10.0"}, ssh},
		"SSH to macOS":                {"darwin", "", Environment{"SSH_CONNECTION=1.2.3.4 5 6.7.8.9 22"}, ssh},
		"SSH to WSL":                  {"linux", "", Environment{"SSH_CLIENT=1.2.3.4 5 22", "WSL_DISTRO_NAME=Debian"}, ssh},
		"WSL":                         {"linux", "", Environment{"WSL_DISTRO_NAME=Debian"}, ""},
		"docker":                      {"linux", "/.dockerenv", nil, container},
		"podman":                      {"linux", "/run/.containerenv", nil, container},
		"a toolbox with a display":    {"linux", "/run/.containerenv", Environment{"WAYLAND_DISPLAY=wayland-0"}, ""},
		"docker in WSL":               {"linux", "/.dockerenv", Environment{"WSL_INTEROP=/run/1"}, container},
		"Codespaces":                  {"linux", "", Environment{"CODESPACES=true"}, container},
		"a dev container":             {"linux", "", Environment{"REMOTE_CONTAINERS=true"}, container},
		"a pod":                       {"linux", "", Environment{"KUBERNETES_SERVICE_HOST=10.0.0.1"}, container},
	} {
		if got := tt.env.remote(tt.system, func(path string) bool { return path == tt.file }); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
