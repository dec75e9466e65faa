// Package testnix is what tests that need a real Nix have in common.
package testnix

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Require lets the test go on if nix-store is on PATH. Without it the test is
// skipped, or fails where the environment variable CI is set: there a missing
// Nix is a fault of the set-up, not a choice.
func Require(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("nix-store"); err == nil {
		return
	}
	const msg = "this test needs nix-store on PATH; run it as ./with-nix go test"
	if os.Getenv("CI") != "" {
		t.Fatal(msg)
	}
	t.Skip(msg)
}

// A Store is a Nix store of a test's own. Its paths are /nix/store/… to Nix
// and to what runs in a sandbox; on disk they are below Root.
type Store struct {
	Root   string
	config string // lines of nix.conf
	nix    string // directory of the commands of another Nix, or ""
}

// NewStore makes an empty store, which goes away with the test.
func NewStore(t testing.TB) *Store {
	t.Helper()
	root, err := os.MkdirTemp("", "testnix")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What is in a store is not writable, not even for its owner.
		filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				os.Chmod(path, 0o755)
			}
			return nil
		})
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	return &Store{Root: root, config: "store = local?root=" + root}
}

// Configure sets what Nix's configuration says, line by line, for commands
// that use the store from now on.
func (s *Store) Configure(lines ...string) {
	s.config += "\n" + strings.Join(lines, "\n")
}

// Use lets commands that use the store from now on be those of another Nix,
// which are in the directory bin as pkgs/setup/setup.sh --nix makes it.
func (s *Store) Use(bin string) {
	s.nix = bin
	s.Configure(
		"experimental-features = nix-command",
		"build-hook = "+bin+"/build-remote",
		"build-users-group =",
		"substituters =",
		"sandbox = true",
		"sandbox-fallback = false",
		"sandbox-paths = /bin/sh="+filepath.Join(bin, "../root/usr/bin/bash-static"))
}

// Environ returns the environment of a command that uses the store.
func (s *Store) Environ() []string {
	env := os.Environ()
	if s.nix != "" {
		env = append(env, "PATH="+s.nix+":"+os.Getenv("PATH"), "NIX_BIN_DIR="+s.nix)
	}
	return append(env,
		"NIX_CONFIG="+os.Getenv("NIX_CONFIG")+"\n"+s.config+"\n",
		// What Nix remembers of binary caches.
		"XDG_CACHE_HOME="+filepath.Join(s.Root, "cache"))
}

// Fill brings in paths of the machine's own store, with all that they refer
// to: as links, where the file system allows that.
func (s *Store) Fill(t testing.TB, paths ...string) {
	t.Helper()
	machine := func(args ...string) string { return output(t, exec.Command("nix-store", args...)) }
	out := machine(append([]string{"--query", "--requisites"}, paths...)...)
	var missing, from []string
	for _, path := range strings.Fields(out) {
		if _, err := os.Lstat(s.Path(path)); err != nil {
			missing = append(missing, path)
			from = append(from, os.Getenv("DGD_STORE_ROOT")+path)
		}
	}
	if len(missing) == 0 {
		return
	}
	dir := s.Path(filepath.Dir(missing[0]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	link := []string{"--archive", "--link"}
	if !canLink(from[0], dir) {
		link = link[:1]
	}
	output(t, exec.Command("cp", append(append(link, from...), dir)...))
	load := s.Command("nix-store", "--load-db")
	load.Stdin = strings.NewReader(machine(append([]string{"--dump-db"}, missing...)...) + "\n")
	output(t, load)
}

// canLink reports whether files below a path can be hard links in a directory. On
// one file system they cannot, if it is mounted twice.
func canLink(path, dir string) bool {
	linked := errors.New("linked")
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		to := filepath.Join(dir, ".link")
		if err := os.Link(file, to); err != nil {
			return err
		}
		return errors.Join(linked, os.Remove(to))
	})
	return errors.Is(err, linked)
}

// Path returns where a store path is on disk.
func (s *Store) Path(storePath string) string { return s.Root + storePath }

// Command returns a command that uses the store.
func (s *Store) Command(name string, args ...string) *exec.Cmd {
	if s.nix != "" && strings.HasPrefix(name, "nix") {
		name = filepath.Join(s.nix, name)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = s.Environ()
	return cmd
}

// Run runs a command that uses the store and returns its standard output
// without the final newline. The test fails, showing standard error, if the
// command does.
func (s *Store) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	return output(t, s.Command(name, args...))
}

// output runs a command, which must not fail, and returns its standard output
// without the final newline.
func output(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		args := strings.Join(cmd.Args, " ")
		t.Fatalf("%.500s: %v\n%.4000s", args, err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n")
}
