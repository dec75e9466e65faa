package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"dgd/internal/drvgen"
	"dgd/internal/nix/nar"
	"dgd/internal/testrun"
)

// Retest runs the tests that need all of src, with the environment env, and writes their
// output to log. Cores is the number of them that run at once. A test that fails beside
// others runs again alone, and only that result counts. It returns an error if one fails.
func Retest(ctx context.Context, cfg *drvgen.RetestConfig, env []string, cores int, log io.Writer) error {
	var needs Needs
	if err := readJSON(cfg.Needs, &needs); err != nil {
		return err
	}
	if len(needs.Tests) == 0 {
		return nil
	}
	if err := needs.layOut(cfg); err != nil {
		return err
	}
	if needs.Form == drvgen.ModuleProxy {
		needs.download(ctx, cfg, env)
	}
	outputs := make([]bytes.Buffer, len(needs.Tests))
	errs := make([]error, len(needs.Tests))
	var group errgroup.Group
	group.SetLimit(max(cores, 1))
	for i, need := range needs.Tests {
		group.Go(func() error {
			errs[i] = need.run(ctx, cfg, env, &outputs[i])
			return nil // so that the others still run
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var failed []string
	for i, need := range needs.Tests {
		if errs[i] != nil && min(cores, len(needs.Tests)) > 1 {
			// nixpkgs runs the packages' tests one after the other, so that two may use
			// the same port.
			outputs[i].Reset()
			errs[i] = need.run(ctx, cfg, env, &outputs[i])
		}
		if errs[i] != nil {
			failed = append(failed, need.Name)
		}
		if _, err := log.Write(outputs[i].Bytes()); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("the tests of %s failed, see above", strings.Join(failed, ", "))
	}
	return nil
}

// layOut copies the sources and the modules to the directories of the configuration.
func (n *Needs) layOut(cfg *drvgen.RetestConfig) error {
	// The executor has made an empty directory.
	if err := os.Remove(cfg.Src); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := copyTree(n.Src, cfg.Src); err != nil {
		return fmt.Errorf("copying the sources: %w", err)
	}
	var err error
	switch n.Form {
	case drvgen.VendorDirectory:
		at := filepath.Join(cfg.Src, n.Vendor)
		if err := os.RemoveAll(at); err != nil {
			return err
		}
		err = copyTree(n.Modules, at)
	case drvgen.ModuleProxy:
		err = os.Symlink(n.Modules, cfg.Modules)
	case drvgen.ModuleCache:
		err = copyTree(n.Modules, cfg.Modules)
	}
	if err != nil {
		return fmt.Errorf("laying out the modules: %w", err)
	}
	return nil
}

// download lets the go command fill its module cache, as the build in nixpkgs does before
// the tests: else its output in a test has messages about downloads. If it fails, the tests
// that need a module show the reason.
func (n *Needs) download(ctx context.Context, cfg *drvgen.RetestConfig, env []string) {
	dir := filepath.Join(cfg.Src, filepath.Dir(n.Vendor))
	cmd := exec.CommandContext(ctx, filepath.Join(cfg.Tests[n.Tests[0].Name].Path, "go"), "mod", "download")
	cmd.Dir, cmd.Env = dir, append(slices.Clone(env), "PWD="+dir)
	_ = cmd.Run()
}

// run runs one test.
func (n *Need) run(ctx context.Context, cfg *drvgen.RetestConfig, env []string, log io.Writer) error {
	fmt.Fprintf(log, "# %s\n", n.Name)
	again := "it runs with all of src"
	if len(n.Data) > 0 {
		again += fmt.Sprintf("; with\n  testData.%q = [ %s ];\nit would run with the files of its package and these, and only after a change of them", n.Name, quoted(n.Data))
	}
	fmt.Fprintf(log, "dgd: %s, so %s.\n", n.Why, again)
	run, ok := cfg.Tests[n.Name]
	if !ok {
		fmt.Fprintln(log, "there is no such test")
		return fmt.Errorf("%s is not a test", n.Name)
	}
	dir, err := os.MkdirTemp("", "test")
	if err != nil {
		fmt.Fprintln(log, err)
		return err
	}
	defer os.RemoveAll(dir)
	// The program is copied from the store: a test may make a hard link to it.
	program := filepath.Join(dir, filepath.Base(n.Program))
	if err := copyFile(n.Program, program, 0o777); err != nil {
		fmt.Fprintln(log, err)
		return err
	}
	test := testrun.Run{Dir: run.Dir, Env: env, Path: run.Path, Args: append([]string{program}, run.Args...)}
	out, err := test.Run(ctx)
	if err == nil {
		if test.Verbose() {
			log.Write(out)
		}
		fmt.Fprintf(log, "ok  \t%s\n", n.Name)
		return nil
	}
	log.Write(out)
	fmt.Fprintf(log, "FAIL\t%s\n", n.Name)
	for _, link := range slices.Sorted(maps.Keys(n.Leaving)) {
		fmt.Fprintf(log, "\ndgd: it looked for %s, a symlink to %s, which is not in src: put the file itself there, or let src be a directory with both.\n", link, n.Leaving[link])
	}
	return err
}

// copyTree copies a directory of the store. The copy is writable.
func copyTree(from, to string) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	return nar.Tree{Root: from}.CopyTo(to)
}

// quoted returns the strings of a list in the syntax of Nix, separated by spaces.
func quoted(list []string) string {
	var words []string
	for _, s := range list {
		words = append(words, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", `\${`).Replace(s)+`"`)
	}
	return strings.Join(words, " ")
}
