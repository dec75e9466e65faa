// Package withnix tests the script with-nix and the package set behind it: `./with-nix go test ./tests/withnix/`.
package withnix

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// root returns the root of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A result is the result of a command.
type result struct {
	stdout, stderr string
	code           int
}

func (r result) String() string {
	return fmt.Sprintf("exit status %d\nstdout:\n%s\nstderr:\n%s", r.code, r.stdout, r.stderr)
}

// A caller is the way in which a test runs with-nix.
type caller struct {
	script string
	before []string // a command that runs with-nix, such as setpriv
	env    []string // further variables; a later NAME=VALUE takes precedence
}

func here(t *testing.T, env ...string) caller {
	return caller{filepath.Join(root(t), "with-nix"), nil, env}
}

func (c caller) command(args ...string) *exec.Cmd {
	args = slices.Concat(c.before, []string{c.script}, args)
	cmd := exec.Command(args[0], args[1:]...)
	// Use the project's own package set even if the machine has another one.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NIX_PATH=") })
	cmd.Env = append(cmd.Env, c.env...)
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// succeed runs a command under with-nix and returns the trimmed output.
func (c caller) succeed(t *testing.T, args ...string) string {
	t.Helper()
	r := run(t, c.command(args...))
	if r.code != 0 {
		t.Fatalf("with-nix %q: %v", args, r)
	}
	return strings.TrimSpace(r.stdout)
}

// build builds ATTRIBUTE of testdata/FILE and returns the output as a file of this machine.
func (c caller) build(t *testing.T, file, attribute string, options ...string) string {
	t.Helper()
	args := []string{"sh", "-c", `path=$(nix-build --no-out-link "$@") && echo "$DGD_STORE_ROOT$path"`, "sh",
		filepath.Join(filepath.Dir(c.script), "tests/withnix/testdata", file), "-A", attribute}
	return c.succeed(t, append(args, options...)...)
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(content))
}

// tools returns a directory with links to some programs of the machine.
func tools(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPassesThrough(t *testing.T) {
	cmd := here(t).command("sh", "-c", "cat; echo error >&2; exit 7")
	cmd.Stdin = strings.NewReader("input\n")
	if got, want := run(t, cmd), (result{"input\n", "error\n", 7}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUsage(t *testing.T) {
	r := run(t, here(t).command())
	if r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "./with-nix COMMAND") {
		t.Error(r)
	}
}

// with-nix inside another with-nix changes nothing.
func TestInsideItself(t *testing.T) {
	print := []string{"sh", "-c", "env | grep -E '^(PATH|NIX_|DGD_)|^[a-z-]+ =' | sort"}
	once := here(t).succeed(t, print...)
	twice := here(t).succeed(t, append([]string{filepath.Join(root(t), "with-nix")}, print...)...)
	if once != twice {
		t.Errorf("once:\n%s\ntwice:\n%s", once, twice)
	}
}

// The user's configuration of Nix takes precedence.
func TestUserConfiguration(t *testing.T) {
	got := here(t, "NIX_CONFIG=max-jobs = 3").succeed(t, "nix", "config", "show", "max-jobs")
	if got != "3" {
		t.Errorf("max-jobs is %s", got)
	}
}

// The setting max-jobs of Debian's Nix depends on its version.
func TestSlots(t *testing.T) {
	for _, test := range [][3]string{
		{"2.34.8", "2", "8"}, {"2.34.8", "4", "8"}, {"2.34.8", "16", "32"}, {"2.8.0", "2", "8"},
		{"2.35.0", "2", "auto"}, {"2.36.0pre20260809_adee431", "16", "auto"}, {"3.0.0", "2", "auto"},
	} {
		cmd := exec.Command("bash", "-euc", `. "$0"; slots_for "$1" "$2"`, filepath.Join(root(t), "pkgs/setup/env.sh"), test[0], test[1])
		if got := run(t, cmd); got.stdout != test[2]+"\n" {
			t.Errorf("Nix %s on %s cores: %v, want %s", test[0], test[1], got, test[2])
		}
	}
	set := here(t).succeed(t, "sh", "-c", `if test "${NIX_BIN_DIR-}"; then echo "$NIX_CONFIG" | grep ^max-jobs; fi`)
	want := run(t, exec.Command("bash", "-euc", `. "$0"; echo max-jobs = $(slots_for "$1" $(nproc))`,
		filepath.Join(root(t), "pkgs/setup/env.sh"), strings.Fields(here(t).succeed(t, "nix", "--version"))[2]))
	if set != "" && set != strings.TrimSpace(want.stdout) {
		t.Errorf("with-nix sets %q, not %q", set, want.stdout)
	}
}

// After the set-up, a call fetches, unpacks and builds nothing.
func TestSecondCall(t *testing.T) {
	here(t).succeed(t, "true")
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	for _, name := range []string{"apt-get", "dpkg", "dpkg-deb", "flock", "nix-instantiate", "nix-store"} {
		script := fmt.Sprintf("#!/bin/sh\necho %s \"$@\" >>%s\nexit 1\n", name, called)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := run(t, here(t, "PATH="+dir+":"+os.Getenv("PATH")).command("true"))
	if (r != result{}) {
		t.Error(r)
	}
	if calls, err := os.ReadFile(called); err == nil {
		t.Errorf("called:\n%s", calls)
	}
}

func TestNeitherNixNorApt(t *testing.T) {
	prefix := t.TempDir()
	r := run(t, here(t,
		"PATH="+tools(t, "bash", "cat", "cut", "dirname", "env", "flock", "mkdir", "sha256sum", "sort"),
		"DGD_NIX_PREFIX="+prefix,
	).command("echo", "done"))
	if r.code != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 ||
		!strings.Contains(r.stderr, "no apt") || !strings.Contains(r.stderr, "install Nix") {
		t.Error(r)
	}
}

// The machine's own Nix and nixpkgs are used as they are if they are new enough and complete.
func TestOwnNix(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	// In this test the machine's Nix is a script that reports another version.
	nix := here(t).succeed(t, "sh", "-c", "command -v nix")
	// Without a daemon an ordinary user cannot write to the machine's store: it has a separate one here.
	store := ""
	if place := os.Getenv("DGD_STORE_ROOT"); place != "" {
		store = "export NIX_REMOTE='local?root=" + place + "'"
	}
	for _, name := range []string{"nix-build", "nix-store", "nix-instantiate"} {
		write(name, fmt.Sprintf("#!/bin/sh\n%s\nexec %s \"$@\"\n", store, filepath.Join(filepath.Dir(nix), name)), 0o755)
	}
	own := func(version string) {
		write("nix", fmt.Sprintf(`#!/bin/sh
%s
if [ "$*" = --version ]; then echo "nix (Nix) %s"; else exec %s "$@"; fi
`, store, version, nix), 0o755)
	}
	names := filepath.Join(root(t), "lib/nixpkgs-names.nix")
	write("default.nix", `{ ... }: builtins.listToAttrs (map (name: { inherit name; value = "own"; }) (import `+names+`))`, 0o644)

	c := here(t, "DGD_NIX_PREFIX="+dir+"/prefix", "NIX_PATH=nixpkgs="+dir,
		"PATH="+dir+":"+strings.ReplaceAll(os.Getenv("PATH"), filepath.Dir(nix)+":", ""),
		// Remove the settings of a with-nix around this test.
		"DGD_ADDED_PATH=", "DGD_ADDED_NIX_PATH=")
	own("2.99.1")
	got := c.succeed(t, "sh", "-c", `command -v nix; echo $DGD_STORE_ROOT; nix eval --expr '(import <nixpkgs> { }).go' --impure
		nix eval --expr 'builtins ? outputOf'`)
	if want := dir + "/nix\n\n\"own\"\ntrue"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// A Nix that is too old is not used. Here there is no apt to fetch another one.
	own("2.18.9")
	c.env = append(c.env, "PATH="+dir+":"+tools(t, "bash", "cat", "cut", "dirname", "env", "flock", "mkdir", "rm", "sha256sum", "sort"))
	if r := run(t, c.command("true")); r.code != 1 || !strings.Contains(r.stderr, "install Nix 2.30 or newer") {
		t.Error(r)
	}
}

// A set-up that was killed is finished by the next call, also if two calls run at once.
func TestKilledSetUp(t *testing.T) {
	prefix := privatePrefix(t)
	env := "DGD_NIX_PREFIX=" + prefix
	for _, message := range []string{"fetching Nix", "unpacking"} {
		cmd := here(t, env).command("echo", "done")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		output := ""
		for buffer := make([]byte, 1000); !strings.Contains(output, message); {
			n, err := stderr.Read(buffer)
			if err != nil {
				t.Fatalf("%q has not been said: %s", message, output)
			}
			output += string(buffer[:n])
		}
		time.Sleep(time.Second)
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
	}

	results := make(chan result)
	for range 2 {
		cmd := here(t, env).command("nix", "eval", "--raw", "--file", "<nixpkgs>", "zlib.name")
		go func() { results <- run(t, cmd) }()
	}
	for range 2 {
		if r := <-results; r.code != 0 || r.stdout != "zlib" {
			t.Error(r)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(prefix, "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// privatePrefix returns a new prefix with the packages that apt has fetched for the usual one.
func privatePrefix(t *testing.T) string {
	t.Helper()
	usual := here(t).succeed(t, "sh", "-c", "echo $DGD_NIX_PREFIX")
	if _, err := os.Stat(filepath.Join(usual, "apt")); err != nil {
		t.Skip("the machine's own Nix and nixpkgs are used: nothing to set up")
	}
	prefix, err := os.MkdirTemp("", "withnix")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if output, err := exec.Command("sh", "-c", `chmod -R u+w "$1"; rm -rf "$1"`, "sh", prefix).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, output)
		}
	})
	if output, err := exec.Command("cp", "-a", filepath.Join(usual, "apt"), prefix).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return prefix
}
