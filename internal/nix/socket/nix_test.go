package socket

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// TestRecursive builds derivations with a real Nix. Their builder is testdata/client.
func TestRecursive(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	dir := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "client"), "./testdata/client")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const n = 60
	src := filepath.Join(dir, "src")
	if err := os.Mkdir(src, 0o777); err != nil {
		t.Fatal(err)
	}
	write := func(i int, text string) {
		if err := os.WriteFile(filepath.Join(src, fmt.Sprintf("f%03d", i)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		write(i, fmt.Sprint("file ", i))
	}

	type report struct {
		Trees, Drvs   []string
		Before, After map[string]bool
		Requests      int
		Millis        int64
		Error         string
	}
	round := 0
	// run runs the client with environment variables, and returns its report
	// and the references of its output.
	run := func(t *testing.T, vars string) (report, []string) {
		t.Helper()
		round++ // makes a new derivation, so that it runs again
		out := st.Run(t, "nix-build", "--no-out-link", "--expr", fmt.Sprintf(`derivation {
			name = "client";
			system = builtins.currentSystem;
			builder = builtins.path { name = "client"; path = %s/client; };
			src = builtins.path { name = "src"; path = %[1]s/src; };
			requiredSystemFeatures = [ "recursive-nix" ];
			round = %d;
			%s
		}`, dir, round, vars))
		data, err := os.ReadFile(st.Path(out))
		if err != nil {
			t.Fatal(err)
		}
		var rep report
		if err := json.Unmarshal(data, &rep); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d requests, %d ms", rep.Requests, rep.Millis)
		return rep, strings.Fields(st.Run(t, "nix-store", "--query", "--references", out))
	}
	check := func(t *testing.T, rep report, minRequests, maxRequests int) {
		t.Helper()
		if rep.Error != "" {
			t.Fatal(rep.Error)
		}
		if rep.Requests < minRequests || rep.Requests > maxRequests {
			t.Errorf("it took %d requests, not between %d and %d", rep.Requests, minRequests, maxRequests)
		}
		last := rep.Drvs[n-1]
		st.Run(t, "nix-store", "--check-validity", last)
		closure := strings.Fields(st.Run(t, "nix-store", "--query", "--requisites", last))
		want := slices.Concat(rep.Drvs, rep.Trees)
		slices.Sort(want)
		slices.Sort(closure)
		if !slices.Equal(closure, want) {
			t.Errorf("the closure of the last derivation has %d paths, not the %d that were added", len(closure), len(want))
		}
		for path, valid := range rep.Before {
			if valid != strings.HasSuffix(path, "-src") {
				t.Errorf("before, Valid said %v of %s", valid, path)
			}
		}
		if !rep.After[last] {
			t.Error("after, Valid says that the last derivation is not valid")
		}
	}

	t.Run("new", func(t *testing.T) {
		rep, refs := run(t, "")
		check(t, rep, 2, minProbes+2)
		if !slices.Contains(refs, rep.Drvs[n-1]) {
			t.Errorf("the output does not refer to what it uses: %q", refs)
		}
	})
	t.Run("again", func(t *testing.T) {
		rep, refs := run(t, "")
		check(t, rep, 2, 2) // a probe, and what is of use
		if !slices.Contains(refs, rep.Drvs[n-1]) {
			t.Errorf("the output does not refer to what it uses: %q", refs)
		}
	})
	t.Run("last edited", func(t *testing.T) {
		write(n-1, "edited")
		rep, _ := run(t, "")
		check(t, rep, 3, 5)
	})
	t.Run("edited", func(t *testing.T) {
		write(n-6, "edited")
		rep, _ := run(t, "")
		check(t, rep, 3, 8)
	})
	t.Run("use all", func(t *testing.T) {
		rep, refs := run(t, `use = "all";`)
		check(t, rep, 1, 5)
		for _, path := range slices.Concat(rep.Drvs, rep.Trees) {
			if !slices.Contains(refs, path) || !rep.After[path] {
				t.Errorf("the output does not refer to %s, or Valid does not know it", path)
			}
		}
	})
	t.Run("garbage", func(t *testing.T) {
		st.Run(t, "nix-store", "--gc")
		if left, err := filepath.Glob(st.Path("/nix/store/*dgd-probe*")); err != nil || len(left) > 0 {
			t.Errorf("after the garbage collection there are %q, %v", left, err)
		}
		rep, _ := run(t, "")
		check(t, rep, 2, minProbes+2)
	})
	t.Run("missing", func(t *testing.T) {
		st.Run(t, "nix-store", "--gc")
		rep, _ := run(t, `omit = "tree";`)
		if !strings.Contains(rep.Error, rep.Trees[0]) || !strings.Contains(rep.Error, "not valid") {
			t.Errorf("error %q does not name the tree that is missing, %s", rep.Error, rep.Trees[0])
		}
	})
}
