package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dgd/internal/testnix"
)

// right fails the test unless a build in a store of the test has the same result as the
// same build in another store. Outputs are content-addressed, so that equal paths have
// equal contents if nix-store --verify finds no changes.
func right(t *testing.T, st *testnix.Store, r result, want string) {
	t.Helper()
	if r.err != nil {
		t.Fatalf("the next build fails: %v\n%s", r.err, tail(r.log))
	}
	if r.path != want {
		t.Errorf("the next build makes %s, want %s", r.path, want)
	}
	if out, err := st.Command("nix-store", "--verify", "--check-contents").CombinedOutput(); err != nil {
		t.Errorf("the store is not whole: %v\n%s", err, out)
	}
}

// After the daemon and its builds were killed, the next build succeeds.
func TestDaemonKilled(t *testing.T) {
	t.Parallel()
	st := warmStore(t)
	socket := filepath.Join(t.TempDir(), "socket")
	client := *st
	client.Configure("store = unix://" + socket + "?root=" + st.Root)
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, layers)
			want := build(t, function, src, layersEnv).path
			daemon := startDaemon(t, st, socket)
			r := start(t, &client, function, src, layersEnv)
			r.wait(t, "example.com-layers-base")
			killAll(daemon.Process.Pid)
			daemon.Wait()
			if r := r.end(); r.err == nil {
				t.Error("it builds without a daemon")
			}

			daemon = startDaemon(t, st, socket)
			right(t, st, buildIn(t, &client, function, src, layersEnv), want)
			killAll(daemon.Process.Pid)
			daemon.Wait()
		})
	}
}

// startDaemon starts a daemon for a store.
func startDaemon(t *testing.T, st *testnix.Store, socket string) *exec.Cmd {
	t.Helper()
	os.Remove(socket)
	cmd := st.Command("nix-daemon", "--daemon")
	cmd.Env = append(cmd.Env, "NIX_DAEMON_SOCKET_PATH="+socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	for range 100 {
		if _, err := os.Stat(socket); err == nil {
			return cmd
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the daemon does not start")
	return nil
}

// descendants returns the child processes of a process, recursively.
func descendants(pid int) []int {
	list := []int{pid}
	for i := 0; i < len(list); i++ {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", list[i]))
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			for _, field := range strings.Fields(string(text)) {
				if child, err := strconv.Atoi(field); err == nil {
					list = append(list, child)
				}
			}
		}
	}
	return list[1:]
}

// killAll kills a process and its descendants.
func killAll(pid int) {
	list := append([]int{pid}, descendants(pid)...)
	for _, pid := range list {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// After the planner was killed, with a part of its derivations in the store or, with
// import from derivation, before it has written its result, the next build succeeds.
func TestPlannerKilled(t *testing.T) {
	t.Parallel()
	const packages = 60
	files := map[string]string{"go.mod": "module example.com/many\n\ngo 1.24\n"}
	var imports strings.Builder
	for i := range packages {
		files[fmt.Sprintf("p%d/p.go", i)] = fmt.Sprintf("package p%d\n\nfunc init() { println(%[1]d, \"SALT\") }\n", i)
		fmt.Fprintf(&imports, "import _ \"example.com/many/p%d\"\n", i)
	}
	files["main.go"] = "package main\n\n" + imports.String() + "\nfunc main() {}\n"
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			st := warmStore(t)
			src := project(t, files)
			r := start(t, st, function, src, layersEnv)
			there := 0
			for deadline := time.Now().Add(2 * time.Minute); there == 0; {
				if planner := find(r.cmd.Process.Pid, "dgd-plan\x00bind\x00"); planner != 0 {
					there = killAt(st, planner, mode == "dyn", packages/2)
				}
				if time.Now().After(deadline) {
					t.Fatal("no planner was seen")
				}
			}
			if mode == "dyn" && there >= packages {
				t.Errorf("it was killed when all was done")
			}
			failed := r.end()
			if failed.err == nil {
				t.Fatalf("it builds without a planner:\n%s", failed.log)
			}
			want := build(t, function, src, layersEnv).path
			right(t, st, buildIn(t, st, function, src, layersEnv), want)
		})
	}
}

// find returns a descendant of a process, by a part of its command line, or 0.
func find(pid int, part string) int {
	for _, pid := range descendants(pid) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.Contains(string(line), part) {
			return pid
		}
	}
	return 0
}

// killAt kills a planner, with wait when n of its derivations are in the store, or else
// at once. It returns their number, or 1 without wait.
func killAt(st *testnix.Store, planner int, wait bool, n int) int {
	defer syscall.Kill(planner, syscall.SIGKILL)
	if !wait {
		return 1
	}
	for {
		drvs, _ := filepath.Glob(st.Path("/nix/store/*-example.com-many-p*.drv"))
		if len(drvs) >= n || syscall.Kill(planner, 0) != nil {
			return max(1, len(drvs))
		}
	}
}

// After the disk of the store was full, the next build succeeds.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("this test mounts a file system for the store, which takes root")
	}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			st := warmStore(t)
			src := project(t, layers)
			want := build(t, function, src, layersEnv).path
			dir := t.TempDir()
			// A program alone has as much. What Nix knows of the store stays when the mounts are gone, so
			// that all has to happen while they are there.
			script := filepath.Join(dir, "script")
			write(t, script, `set -e
cd "$2"
mkdir new
mount -t tmpfs -o size=2m tmpfs new
mkdir new/upper new/work
mount -t overlay -o "lowerdir=$1,upperdir=new/upper,workdir=new/work" overlay "$1"
store=$1
shift 2
if "$@"; then echo "it builds on a full disk" >&2; exit 1; fi
echo --- >&2
mount -o remount,size=1g new
"$@"
nix-store --verify --check-contents
`)
			cmd := st.Command("nix-build", "--no-out-link", "-E", expression(t, function, src, layersEnv))
			full := exec.Command("unshare", append([]string{"--mount", "sh", script, st.Path("/nix/store"), dir}, cmd.Args...)...)
			full.Env = cmd.Env
			r := finish(t, full)
			before, _, _ := strings.Cut(r.log, "\n---\n")
			if !strings.Contains(strings.ToLower(before), "no space left on device") {
				t.Errorf("no message about the disk: %s", tail(before))
			}
			if r.err != nil || r.path != want {
				t.Errorf("with room again, it makes %q, want %s: %v\n%s", r.path, want, r.err, tail(r.log))
			}
		})
	}
}

// The garbage collector runs during and after a build. Rooted paths stay, and the next
// build makes only what was removed.
func TestGarbage(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			st := warmStore(t)
			rootAll(t, st)
			// Without this, Nix 2.34 removes outputs that a content-addressed build has just made.
			during := *st
			during.Configure("keep-outputs = true")
			src := project(t, layers)
			want := build(t, function, src, layersEnv).path
			r := start(t, &during, function, src, layersEnv)
			r.wait(t, "example.com-layers-base")
			ended := make(chan result)
			go func() { ended <- r.end() }()
			collections := 0
			var done *result
			for done == nil {
				during.Run(t, "nix-store", "--gc")
				collections++
				select {
				case r := <-ended:
					done = &r
				default:
				}
			}
			t.Logf("%d collections during the build", collections)
			if done.err != nil && collectedTooSoon(done.log) {
				t.Logf("collected too soon: %s", tail(done.log))
				again := buildIn(t, st, function, src, layersEnv)
				done = &again
			}
			if done.err != nil || done.path != want {
				t.Fatalf("the build makes %q, want %s: %v\n%s", done.path, want, done.err, tail(done.log))
			}

			link := filepath.Join(t.TempDir(), "result")
			rooted := st.Command("nix-build", "-o", link, "-E", expression(t, function, src, layersEnv))
			if out, err := rooted.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			// With keep-derivations, a root for the result keeps all that it was built from.
			st.Run(t, "nix-store", "--gc")
			edit(t, filepath.Join(src, "leaf/leaf.go"), `"leaf `, `"LEAF `)
			edited := buildIn(t, st, function, src, layersEnv)
			if want := []string{"example.com-layers-leaf", "go-program", "program"}; !slices.Equal(edited.compiled(), want) {
				t.Errorf("after an edit it builds %q, want %q", edited.compiled(), want)
			}
			right(t, st, edited, build(t, function, src, layersEnv).path)
			edit(t, filepath.Join(src, "leaf/leaf.go"), `"LEAF `, `"leaf `)

			// Without it, only the result.
			st.Run(t, "nix-store", "--gc", "--option", "keep-derivations", "false")
			if left, _ := filepath.Glob(st.Path("/nix/store/*-example.com-layers-base-x")); len(left) > 0 {
				t.Errorf("nothing was collected: %q", left)
			}
			again := buildIn(t, st, function, src, layersEnv)
			if c := again.compiled(); len(c) > 0 {
				t.Errorf("what is rooted is built again: %q", c)
			}
			right(t, st, again, want)
			edit(t, filepath.Join(src, "mid/mid.go"), `"mid `, `"MID `)
			edited = buildIn(t, st, function, src, layersEnv)
			right(t, st, edited, build(t, function, src, layersEnv).path)
			if !slices.Contains(edited.compiled(), "example.com-layers-base") || slices.Contains(edited.built, "std") {
				t.Errorf("it builds %q", edited.built)
			}
		})
	}
}

// collectedTooSoon reports whether a build says that the collector has removed an output
// that it had just made. Nix 2.34 keeps an output only after it has registered the output's
// deriver and realisation, shortly after the output was added. A dependent that comes next
// then misses the path, and so does the realisation itself.
func collectedTooSoon(log string) bool {
	return strings.Contains(log, "is not valid") ||
		strings.Contains(log, "NOT NULL constraint failed: Realisations.outputPath")
}

// rootAll makes a root for each path of a store.
func rootAll(t *testing.T, st *testnix.Store) {
	t.Helper()
	for _, path := range strings.Fields(st.Run(t, "nix", "path-info", "--all")) {
		if err := os.Symlink(path, st.Path("/nix/var/nix/gcroots/"+filepath.Base(path))); err != nil {
			t.Fatal(err)
		}
	}
}

// Two builds of the same project at the same time succeed.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			st := warmStore(t)
			src := project(t, layers)
			want := build(t, function, src, layersEnv).path
			a := start(t, st, function, src, layersEnv)
			b := start(t, st, function, src, layersEnv)
			ended := make(chan result)
			go func() { ended <- a.end() }()
			right(t, st, b.end(), want)
			right(t, st, <-ended, want)
		})
	}
}

// nix-store finds outputs that were changed in the store. After they were deleted, the
// next build makes them again.
func TestCorrupted(t *testing.T) {
	t.Parallel()
	modified := regexp.MustCompile(`path '(/nix/store/[^']*)' was modified`)
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			st := warmStore(t)
			src := project(t, layers)
			buildIn(t, st, function, src, layersEnv)
			archives, _ := filepath.Glob(st.Path("/nix/store/*-example.com-layers-leaf"))
			// The sources have the same name.
			archives = slices.DeleteFunc(archives, func(path string) bool {
				found, _ := filepath.Glob(path + "/*.go")
				more, _ := filepath.Glob(path + "/*/*.go")
				return len(found)+len(more) > 0
			})
			if len(archives) != 1 {
				t.Fatalf("the archives are %q", archives)
			}
			corrupt(t, archives[0])
			out, err := st.Command("nix-store", "--verify", "--check-contents").CombinedOutput()
			found := modified.FindStringSubmatch(string(out))
			if err == nil || found == nil || st.Path(found[1]) != archives[0] {
				t.Fatalf("it is not found: %v\n%s", err, out)
			}
			// --repair of Nix 2.34 does not replace a content-addressed output. So the output is
			// deleted, together with the derivations that refer to it.
			readers := strings.Fields(st.Run(t, "nix-store", "--query", "--referrers-closure", found[1]))
			st.Run(t, "nix-store", append([]string{"--delete", "--ignore-liveness"}, readers...)...)
			edit(t, filepath.Join(src, "mid/mid.go"), `"mid `, `"MID `)
			right(t, st, buildIn(t, st, function, src, layersEnv), build(t, function, src, layersEnv).path)
		})
	}
}

// corrupt changes a byte in each file below a path.
func corrupt(t *testing.T, path string) {
	t.Helper()
	err := filepath.WalkDir(path, func(file string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(file, 0o755)
		}
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			return err
		}
		text[len(text)/2] ^= 1
		// A new file, as the old one may be hard-linked to other stores.
		if err := os.Remove(file); err != nil {
			return err
		}
		return os.WriteFile(file, text, 0o444)
	})
	if err != nil {
		t.Fatal(err)
	}
}
