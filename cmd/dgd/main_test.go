package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestMain runs dgd itself in processes that tests start.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" || slices.Contains(os.Args, noCacheName) {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		args   []string
		stderr string
	}{
		{nil, "dgd: a command is missing\nSee dgd --help\n"},
		{[]string{"make"}, "dgd: unknown command \"make\" for \"dgd\"\nSee dgd --help\n"},
		{[]string{"--make"}, "dgd: unknown flag: --make\nSee dgd --help\n"},
		// The stages of the planner are not commands of dgd.
		{[]string{"bind"}, "dgd: unknown command \"bind\" for \"dgd\"\nSee dgd --help\n"},
	} {
		cmd := exec.Command(os.Args[0], test.args...)
		cmd.Env = append(os.Environ(), "TEST_RUN_MAIN=1")
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != 2 || string(out) != test.stderr {
			t.Errorf("dgd %q: status %d, %q; want 2, %q", test.args, status, out, test.stderr)
		}
	}
}
