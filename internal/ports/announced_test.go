package ports_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ambit-auth/ambit/internal/ports"
)

func TestMain(m *testing.M) {
	if host := os.Getenv("AMBIT_TEST_ANNOUNCE"); host != "" {
		if _, err := ports.Announce([]string{host}); err != nil {
			panic(err)
		}
		os.Stdout.WriteString("announced\n")
		select {} // until it is killed
	}
	os.Exit(m.Run())
}

// What a process says that it serves holds as long as it lives, however it ends.
func TestAnnounced(t *testing.T) {
	const host, other = "127.0.0.1:1", "127.0.0.1:2" // nobody serves there
	if ports.Announced(host) {
		t.Fatal("nobody has said so")
	}
	stop, err := ports.Announce([]string{host})
	if err != nil {
		t.Fatal(err)
	}
	if !ports.Announced(host) || ports.Announced(other) || ports.Announced("localhost:1") || ports.Announced("") || ports.Announced("../127.0.0.1:1") {
		t.Error("it is announced for one host, and no other")
	}
	stop()
	if ports.Announced(host) {
		t.Error("after the end")
	}
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), "AMBIT_TEST_ANNOUNCE="+other)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil || !ports.Announced(other) {
		t.Errorf("by another process: %v", err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	if ports.Announced(other) {
		t.Error("after the process was killed")
	}
	if again, err := ports.Announce([]string{other}); err != nil {
		t.Error(err)
	} else {
		again()
	}
	if left, _ := filepath.Glob("/tmp/ambit-serves-*/127.0.0.1_[12].lock"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
