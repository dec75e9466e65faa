package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// lockProject writes a project and returns its directory. It sets the environment of
// the go command.
func lockProject(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOTOOLCHAIN", "local")
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "modcache"))
	return dir
}

func dgdPlan(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TEST_RUN_MAIN=1")
	return cmd
}

// call runs dgd in a directory and returns its exit status and output, in which DIR
// stands for the directory.
func call(t *testing.T, dir string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := dgdPlan(dir, args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.NewReplacer(real, "DIR", dir, "DIR")
	return cmd.ProcessState.ExitCode(), names.Replace(out.String()), names.Replace(log.String())
}

func TestLock(t *testing.T) {
	const goMod = "module example.com/app\n\ngo 1.24\n"
	dir := lockProject(t, map[string]string{"go.mod": goMod, "main.go": "package main\n\nfunc main() {}\n"})
	for _, step := range []struct {
		goMod          string
		args           []string
		status         int
		stdout, stderr string
	}{
		{goMod, []string{"lock", "--check"}, 1, "", "dgd: there is no dgd.lock: run `dgd lock` in DIR\n"},
		{goMod, []string{"lock"}, 0, "", "DIR/dgd.lock is written: 0 modules\n"},
		{goMod, []string{"lock"}, 0, "", "DIR/dgd.lock stays as it was: 0 modules\n"},
		{goMod, []string{"lock", "--check"}, 0, "", ""},
		{goMod + "\nrequire (\n\texample.com/a v1.0.0\n\texample.com/b v1.1.0\n)\n", []string{"lock", "--check"}, 1,
			"example.com/a: missing: go.mod requires v1.0.0\nexample.com/b: missing: go.mod requires v1.1.0\n", "run `dgd lock` in DIR\n"},
		{goMod, []string{"lock", "--check", "--json"}, 0, "[]\n", ""},
		{goMod + "\nrequire example.com/a v1.0.0\n", []string{"lock", "--check", "--json"}, 1, `[
  {
    "path": "example.com/a",
    "kind": "missing",
    "message": "go.mod requires v1.0.0"
  }
]
`, "run `dgd lock` in DIR\n"},
		{strings.Replace(goMod, "app", "other", 1), []string{"lock", "--check", "--json"}, 1, `[
  {
    "path": "main",
    "kind": "stale",
    "message": "go.mod is of example.com/other, dgd.lock is of example.com/app"
  }
]
`, "run `dgd lock` in DIR\n"},
		{goMod, []string{"lock", "--json"}, 2, "", "dgd: --json is for the findings of --check: give both\nSee dgd --help\n"},
		{goMod + "\nrequire example.com/a v1.0.0\n", []string{"lock"}, 1, "",
			"dgd: DIR has no go.sum, although it needs modules: run `go mod tidy` there\n"},
		{goMod, []string{"lock", "x", "y"}, 2, "", "dgd: accepts at most 1 arg(s), received 2\nSee dgd --help\n"},
		{goMod, []string{"lock", "--jobs", "0"}, 2, "", "dgd: --jobs and --timeout must be positive\nSee dgd --help\n"},
		{goMod, []string{"lock", "nowhere"}, 1, "", "dgd: stat DIR/nowhere: no such file or directory\n"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(step.goMod), 0o666); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := call(t, dir, step.args...)
		if status != step.status || stdout != step.stdout || stderr != step.stderr {
			t.Errorf("dgd %q: status %d\n%s%s", step.args, status, stdout, stderr)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dgd.lock"), []byte("{\n  \"version\": 7\n}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := call(t, dir, "lock", "--check")
	if want := "dgd: DIR/dgd.lock:2: the format has version 7, and this dgd reads version 1"; status != 1 || stdout != "" || !strings.HasPrefix(stderr, want) {
		t.Errorf("another version: status %d\n%s%s", status, stdout, stderr)
	}
	status, stdout, _ = call(t, dir, "lock", "--help")
	if status != 0 || !strings.Contains(stdout, "dgd lock --check") {
		t.Errorf("help: status %d\n%s", status, stdout)
	}
}

// A call that is killed leaves the old lock as it was, and no other files.
func TestLockKilled(t *testing.T) {
	const sum = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	files := map[string]string{
		"go.mod":   "module example.com/app\n\ngo 1.24\n\nrequire example.com/a v1.0.0\n",
		"go.sum":   fmt.Sprintf("example.com/a v1.0.0 %s\nexample.com/a v1.0.0/go.mod %[1]s\n", sum),
		"main.go":  "package main\n\nimport _ \"example.com/a\"\n\nfunc main() {}\n",
		"dgd.lock": "the old lock",
	}
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
		dir := lockProject(t, files)
		asked, release := make(chan struct{}, 100), make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			<-release
		}))
		t.Setenv("GOPROXY", s.URL)
		t.Setenv("TMPDIR", t.TempDir())
		cmd := dgdPlan(dir, "lock")
		log, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		<-asked // a download has begun
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		var last string
		for lines := bufio.NewScanner(log); lines.Scan(); {
			last = lines.Text()
		}
		cmd.Wait()
		close(release)
		s.Close()
		if sig != syscall.SIGKILL && (cmd.ProcessState.ExitCode() != 1 || !strings.HasSuffix(last, " signal received")) {
			t.Errorf("%v: %v, %q", sig, cmd.ProcessState, last)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != len(files) {
			t.Errorf("%v: left %v (%v)", sig, entries, err)
		}
		for name, text := range files {
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != text {
				t.Errorf("%v: %s is %q (%v)", sig, name, got, err)
			}
		}
		if left, err := os.ReadDir(os.Getenv("TMPDIR")); sig != syscall.SIGKILL && (err != nil || len(left) > 0) {
			t.Errorf("%v: %v is left (%v)", sig, left, err)
		}
	}
}
