package withnix

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackages(t *testing.T) {
	for attribute, want := range map[string]string{
		"c":      "hello, 907060870, 2",
		"static": "hello, 907060870, 2",
		"cxx":    "hello, thrown",
		"go":     "linked-by-c: 0\nlinked-by-go: <nil>",
		"git":    "text\nfirst",
		"says":   "good day twice, 1\nscript\nhello-2 2",
	} {
		t.Run(attribute, func(t *testing.T) {
			if got := read(t, here(t).build(t, "packages.nix", attribute)); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// A program refers to the C library and the libraries that it is linked with, but not to headers, compilers or
// libraries that the linker has only searched.
func TestReferences(t *testing.T) {
	program := strings.TrimPrefix(here(t).build(t, "packages.nix", "program"), os.Getenv("DGD_STORE_ROOT"))
	var names []string
	for _, path := range strings.Fields(here(t).succeed(t, "nix-store", "--query", "--references", program)) {
		_, name, _ := strings.Cut(filepath.Base(path), "-")
		names = append(names, name)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "glibc") && !strings.HasPrefix(name, "zlib") {
			t.Errorf("refers to %q", names)
		}
	}
}

func TestGoVersions(t *testing.T) {
	lines := strings.Split(read(t, here(t).build(t, "packages.nix", "versions")), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "go1.25") || !strings.Contains(lines[2], "go1.26") ||
		!strings.HasSuffix(lines[1], "/share/go") || !strings.HasSuffix(lines[3], "/share/go") {
		t.Errorf("got %q", lines)
	}
}

func TestLayout(t *testing.T) {
	if got := read(t, here(t).build(t, "packages.nix", "layout")); got != "laid out" {
		t.Errorf("got %q", got)
	}
}

// A build can access neither the machine's files nor its network.
func TestSandbox(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	got := read(t, here(t).build(t, "sandbox.nix", "sees",
		"--argstr", "file", filepath.Join(root(t), "with-nix"), "--argstr", "port", port))
	if got != "end" {
		t.Errorf("sees %s", got)
	}
}

func TestDynamicDerivation(t *testing.T) {
	if got := read(t, here(t).build(t, "sandbox.nix", "dynamic")); got != "inner" {
		t.Errorf("got %q", got)
	}
}

// storeSocket builds in dir a program that connects to the store, and returns the options with which sandbox.nix gets it.
func storeSocket(t *testing.T, dir string) []string {
	t.Helper()
	program := filepath.Join(dir, "socket")
	cmd := exec.Command("go", "build", "-o", program, "./testdata/socket")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return []string{"--arg", "socket", program}
}

func TestStoreSocket(t *testing.T) {
	got := read(t, here(t).build(t, "sandbox.nix", "asks", storeSocket(t, t.TempDir())...))
	if !strings.HasPrefix(got, "protocol ") {
		t.Errorf("got %q", got)
	}
}

// An ordinary user gets a separate store below the prefix, in which everything works, too.
func TestOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the other tests run as an ordinary user")
	}
	const nobody = "65534"
	prefix := privatePrefix(t)
	if output, err := exec.Command("sh", "-ec", `
		cd "$1"
		mkdir -p "$2/home/go/pkg/mod/cache/download"
		cp -r --parents tests/withnix/testdata with-nix pkgs lib/nixpkgs-names.nix "$2/home"
		# The toolchain as the Go command has it already, and the checksum database's word for it.
		cp -r "$(go env GOPATH)/pkg/sumdb" "$2/home/go/pkg"
		cd "$(go env GOMODCACHE)/cache/download"
		cp -r --parents golang.org/toolchain/@v/*go1.26* sumdb "$2/home/go/pkg/mod/cache/download"
		chown -R "$3:$3" "$2"
	`, "sh", root(t), prefix, nobody).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	home := filepath.Join(prefix, "home")
	user := caller{
		filepath.Join(home, "with-nix"),
		[]string{"setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"},
		[]string{"DGD_NIX_PREFIX=" + prefix, "HOME=" + home, "GOPATH=", "GOMODCACHE=", "XDG_CACHE_HOME=",
			"XDG_CONFIG_HOME="},
	}
	for _, test := range []struct {
		file, attribute, want string
		options               []string
	}{
		{"packages.nix", "c", "hello, 907060870, 2", nil},
		{"sandbox.nix", "dynamic", "inner", nil},
		{"sandbox.nix", "asks", "protocol ", storeSocket(t, prefix)},
	} {
		path := user.build(t, test.file, test.attribute, test.options...)
		if got := read(t, path); !strings.HasPrefix(got, test.want) || !strings.HasPrefix(path, prefix) {
			t.Errorf("%s: %s holds %q", test.attribute, path, got)
		}
	}

	// A store that was removed is made again.
	if output, err := exec.Command("sh", "-c", `chmod -R u+w "$1"; rm -rf "$1"`, "sh", prefix+"/root").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if got := read(t, user.build(t, "sandbox.nix", "dynamic")); got != "inner" {
		t.Errorf("after the store was deleted: %q", got)
	}
}
