package build

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

var allTwice = flag.Bool("all-twice", false, "let TestReproducible build all examples and three published programs twice, not only a few")

// Builds in two empty stores, which differ in all that a build can see of a machine, give
// the same outputs with the same hashes for each derivation, including dgd's own
// programs. For content-addressed derivations --check does not find differences.
func TestReproducible(t *testing.T) {
	t.Parallel()
	examples, programs := []string{"cgo", "dep"}, []string(nil)
	if *allTwice {
		examples, programs = nil, []string{"gofumpt", "age", "sql-migrate"}
	}
	one, user := differing(t, examples, programs, machineKind{
		cpus: "0", cores: 1, dir: filepath.Join(t.TempDir(), "a"),
		environment: []string{"TZ=Pacific/Kiritimati", "LC_ALL=C", "LANG=C", "USER=one", "HOME=/one"},
	})
	// Only root can build as other users, and in a directory of its own.
	var asAnother []string
	base := t.TempDir()
	if own := ownDir(t); os.Getuid() == 0 && own != "" {
		asAnother = []string{"extra-experimental-features = auto-allocate-uids", "auto-allocate-uids = true"}
		base = own
	}
	two, another := differing(t, examples, programs, machineKind{
		cpus: "0-1023", cores: 7, dir: filepath.Join(base, strings.Repeat("longer-", 12)), config: asAnother,
		environment: []string{"TZ=America/St_Johns", "LC_ALL=tr_TR.UTF-8", "LANG=tr_TR.UTF-8", "USER=another", "HOME=/another"},
	})
	if asAnother != nil && user == another {
		t.Errorf("both stores build as the user %s", user)
	}
	if len(one) < 30 {
		t.Fatalf("%d outputs: the test shows nothing", len(one))
	}
	t.Logf("%d outputs, of the users %s and %s", len(one), user, another)
	for path := range one {
		if two[path] != one[path] {
			t.Errorf("%s: %s in one store, %q in the other", path, one[path], two[path])
		}
	}
	for path := range two {
		if one[path] == "" {
			t.Errorf("%s is in one store only", path)
		}
	}
}

// ownDir returns a new directory in which, and above which, no other user can write, if
// the user's cache is in such a directory.
func ownDir(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	for dir := cache; dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || info.Mode().Perm()&0o002 != 0 {
			return ""
		}
	}
	own, err := os.MkdirTemp(cache, "dgd-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(own) })
	return own
}

// A machineKind has properties of a machine that a build can see.
type machineKind struct {
	cpus        string // the CPUs, for taskset
	cores       int    // Nix's setting `cores`
	dir         string // the directory to build in
	environment []string
	config      []string // lines of nix.conf
}

// differing builds examples (all, if examples is empty) and programs in an empty store, in
// both modes. It returns the NAR hashes of the paths in the store, and the ID of the user
// that builds.
func differing(t *testing.T, examples, programs []string, kind machineKind) (made map[string]string, user string) {
	t.Helper()
	st := emptyStore(t)
	wanted := func(dyn bool) string {
		return fmt.Sprintf(`
			let
			  all = import %s { useDynDrv = %v; };
			  of = set: map (name: set.${name});
			  examples = [ %s ];
			in
			of all.examples (if examples == [ ] then builtins.attrNames all.examples else examples)
			++ of all.tests.programs [ %s ]`, repo(t), dyn, quoted(examples), quoted(programs))
	}
	// The store has a C compiler and the fetched modules.
	given := fmt.Sprintf(`
		let
		  pkgs = import <nixpkgs> { };
		in
		pkgs.stdenv.mkDerivation {
		  name = "given";
		  nativeBuildInputs = [ pkgs.pkg-config ];
		  buildInputs = [ pkgs.zlib pkgs.sqlite ];
		  fetched = map (p: p.goModules) (builtins.filter (p: p.goModules != null) (%s));
		  sources = map (name: (import %s { }).fetchGoModule { inherit ((import %[2]s/tests/programs.nix).${name}) module version hash; }) [ %[3]s ];
		  buildCommand = "export -p > $out";
		}`, wanted(false), repo(t), quoted(programs))
	drv, err := exec.Command("nix-instantiate", "-E", given).Output()
	if err != nil {
		t.Fatal(err)
	}
	st.Fill(t, strings.TrimSpace(string(drv)), here(t, given))
	before := hashes(t, st)

	write(t, filepath.Join(kind.dir, "keep"), "")
	st.Configure(append(kind.config, fmt.Sprint("cores = ", kind.cores), "build-dir = "+kind.dir)...)
	for _, dyn := range []bool{false, true} {
		cmd := st.Command("taskset", "--cpu-list", kind.cpus, "nix-build", "--no-out-link", "-E", wanted(dyn))
		cmd.Env = append(cmd.Env, kind.environment...)
		if r := finish(t, cmd); r.err != nil {
			t.Fatalf("%v\n%s", r.err, tail(r.log))
		}
	}
	made = hashes(t, st)
	maps.DeleteFunc(made, func(path, _ string) bool { return before[path] != "" })

	r := finish(t, st.Command("nix-build", "--no-out-link", "-E", `
		derivation {
		  name = "user";
		  system = builtins.currentSystem;
		  builder = "${(import <nixpkgs> { }).bash}/bin/bash";
		  args = [ "-c" "read -r _ user _ < /proc/self/uid_map; echo \"user $user.\" >&2; : > $out" ];
		}`))
	found := regexp.MustCompile(`user (\d+)\.`).FindStringSubmatch(r.log)
	if r.err != nil || found == nil {
		t.Fatalf("the user: %v\n%s", r.err, tail(r.log))
	}
	return made, found[1]
}

// quoted returns strings as elements of a Nix list.
func quoted(names []string) string {
	var list []string
	for _, name := range slices.Sorted(slices.Values(names)) {
		list = append(list, fmt.Sprintf("%q", name))
	}
	return strings.Join(list, " ")
}

// hashes returns the NAR hashes of all paths of a store, except for probes, which are
// random.
func hashes(t *testing.T, st *testnix.Store) map[string]string {
	t.Helper()
	var infos map[string]struct {
		NarHash string `json:"narHash"`
	}
	text := st.Run(t, "nix", "path-info", "--all", "--json", "--json-format", "1")
	if err := json.Unmarshal([]byte(text), &infos); err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for path, info := range infos {
		if !strings.HasSuffix(path, "-dgd-probe") {
			list[path] = info.NarHash
		}
	}
	return list
}
