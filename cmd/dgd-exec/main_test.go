package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain is dgd-exec itself where a test wants to run it.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestCommand(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, spec string
		status     int
		stderr     string
	}{
		{"success", `{"units":[{"name":"p","steps":[{"write":{"path":"${out}","text":"made\n"}}]}]}`, 0, ""},
		{"a program's failure", `{"units":[{"name":"m/p","steps":[{"run":{"args":["${SH}","-c","echo 'x.go:1: no'; exit 2"]}}]}]}`, 1, "# m/p\nx.go:1: no\n"},
		{"another failure", `{"units":[{"name":"m/p","steps":[{"write":{"path":"${NOPE}","text":""}}]}]}`, 1, "dgd-exec: m/p: unknown token ${NOPE} in \"${NOPE}\"\n"},
		{"no spec", `units`, 1, "dgd-exec: reading the actions ($specPath): invalid character 'u' looking for beginning of value\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"spec": test.spec, "vars": `{"SH":"` + sh + `"}`} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "TEST_RUN_MAIN=1", "NIX_BUILD_TOP="+dir, "outputs=out", "out="+filepath.Join(dir, "out"),
				"specPath="+filepath.Join(dir, "spec"), "varsPath="+filepath.Join(dir, "vars"))
			stderr, _ := cmd.CombinedOutput()
			if status := cmd.ProcessState.ExitCode(); status != test.status || string(stderr) != test.stderr {
				t.Errorf("status %d, %q; want %d, %q", status, stderr, test.status, test.stderr)
			}
			text, err := os.ReadFile(filepath.Join(dir, "out"))
			if made := err == nil && string(text) == "made\n"; made != (test.status == 0) {
				t.Errorf("the output is %q, %v", text, err)
			}
		})
	}
}
