package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode"

	"dgd/internal/action"
	"dgd/internal/drvgen"
	"dgd/internal/gocmd"
	"dgd/internal/goflags"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

// TestConfig is the configuration of MakeTests. Package has package patterns. Packages
// without tests have to compile.
type TestConfig struct {
	Config
	CheckFlags []string `json:"checkFlags"` // of go test
}

// checkFlags returns an error for flags that no test run can have, and an unplanned error
// for those that only `go test` itself can carry out. `go test` reports other mistakes.
func checkFlags(flags []string) error {
	table, err := goflags.Load()
	if err != nil {
		return err
	}
	if slices.Contains(flags, "") {
		return errors.New("checkFlags: a flag is empty")
	}
	for _, f := range flags {
		var whole error
		switch name, _ := goflags.Cut(f); {
		case strings.ContainsFunc(f, unicode.IsSpace):
			whole = fmt.Errorf("checkFlags: %q has a space in it, which dgd does not support: in the name of a test, write _ instead", f)
		case strings.Contains(f, "$WORK"):
			whole = fmt.Errorf("checkFlags: %q has $WORK, which the go command uses for its work directory", f)
		case strings.HasPrefix(f, "-") && table.NeedsGoTest(strings.TrimPrefix(name, "test.")):
			whole = fmt.Errorf("checkFlags: dgd does not support %s", f)
		}
		if whole != nil {
			return &unplanned{whole}
		}
	}
	return nil
}

// profiles are flags by which a test program writes profiles. The go command accepts
// them for a single package only, and keeps the test program.
var profiles = []string{"blockprofile", "cpuprofile", "memprofile", "mutexprofile", "trace"}

// profileFlags splits flags of go test into those of profiles and others. OfProgram has
// the flags that the go command passes to the test program when it runs in modRoot.
func profileFlags(flags []string, modRoot string) (others, ofProgram []string) {
	for i := 0; i < len(flags); i++ {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimLeft(flags[i], "-"), "test."), "=")
		if !strings.HasPrefix(flags[i], "-") || !slices.Contains(profiles, name) {
			others = append(others, flags[i])
			continue
		}
		if !ok && i+1 < len(flags) {
			i++
			value = flags[i]
		}
		ofProgram = append(ofProgram, "-test."+name+"="+action.Escape(value))
	}
	if len(ofProgram) > 0 {
		ofProgram = append(ofProgram, "-test.outputdir="+path.Join("${SRC}", action.Escape(modRoot)))
	}
	return others, ofProgram
}

// testEnv returns the variables that a package's phases have changed in the given
// environment, and those by which the go command of a test finds its modules, as in builds
// of nixpkgs. Form is the form of these modules.
func testEnv(cfg *TestConfig, given map[string]string, at *workspace.Place) (env []string, form drvgen.ModulesForm) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Env)) {
		if value := cfg.Env[name]; name != "GOFLAGS" && given[name] != value {
			// A path in the sources becomes that in the test's own copy.
			env = append(env, name+"="+strings.ReplaceAll(action.Escape(value), at.Src, "${SRC}"))
		}
	}
	var goFlags []string
	if words := gocmd.WithPaths(cfg.Env["GOFLAGS"]); words != "" {
		goFlags = []string{words}
	}
	switch {
	case cfg.Downloads != "":
		form = drvgen.ModuleProxy
		env = append(env, "GOPROXY=file://"+graph.TestModules)
	case cfg.Lock != nil:
		form = drvgen.ModuleCache
		env = append(env, "GOMODCACHE="+graph.TestModules)
	default:
		if cfg.Vendor != "" {
			form = drvgen.VendorDirectory
		}
		// nixpkgs sets it whether or not there is a vendor directory.
		if at.Vendored() || cfg.Libraries {
			goFlags = append(goFlags, "-mod=vendor")
		}
	}
	return append(env, "GOFLAGS="+action.Escape(strings.Join(goFlags, " "))), form
}

// MakeTests plans the tests of a module. It works in dir, which must not exist.
func MakeTests(ctx context.Context, cfg *TestConfig, dir string) (*Plan, error) {
	whole := checkFlags(cfg.CheckFlags)
	given := cfg.Env
	if err := cfg.readSettings(filepath.Join(dir, "src")); err != nil {
		return nil, err
	}
	var reason *unplanned
	if whole != nil && (cfg.Fallback == nil || !errors.As(whole, &reason)) {
		return nil, whole
	}
	checkFlags, ofProgram := profileFlags(cfg.CheckFlags, cfg.ModRoot)
	g, err := gocmd.New(cfg.Go, cfg.EnvFile, cfg.Env, dir)
	if err != nil {
		return nil, err
	}
	g.NoCache = cfg.NoCache
	vars, opt, goroot, err := scriptOptions(ctx, g, &cfg.Config, dir)
	if err != nil {
		return nil, err
	}
	at, err := layOut(ctx, g, &cfg.Config, dir, &opt)
	if err != nil {
		return nil, err
	}
	flags := slices.Clone(cfg.Flags)
	if at.Vendored() {
		flags = append(flags, "-mod=vendor")
	}
	named, err := patterns(&cfg.Config, at.ModRoot)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Goroot: goroot, Vendor: at.Rel(at.Vendor())}
	packages, untested, err := packagesOf(ctx, g, opt.ModRoot, flags, named, cfg.Libraries)
	if err != nil {
		return nil, explainTests(err, cfg, at)
	}
	all := slices.Concat(packages, untested)
	if len(all) == 0 {
		return plan, nil
	}
	if err := plan.setTestByGo(cfg, at, flags, all); err != nil {
		return nil, err
	}
	if whole == nil && cfg.whole != nil {
		whole = &unplanned{cfg.whole}
	}
	if whole != nil {
		return plan.fallBackForTests(whole)
	}
	opt.TestEnv, plan.TestModules = testEnv(cfg, given, at)
	opt.TestArgs = ofProgram

	trimmed, kept, err := testScripts(ctx, g, &opt, flags, checkFlags, packages, untested)
	if err != nil {
		return plan.fallBackForTests(explainTests(err, cfg, at))
	}
	both := make([]*graph.Graph, 2)
	for i, text := range []string{trimmed, kept} {
		opt.KeepPaths = i == 1
		if both[i], err = newGraph(text, vars, opt); err != nil {
			return plan.fallBackForTests(err)
		}
	}
	tests, err := graph.Tests(both[0], both[1], untested)
	if err != nil {
		return plan.fallBackForTests(&unplanned{err})
	}
	plan.Graph = *tests
	return plan, nil
}

// testScripts returns the scripts of the tests with and without -trimpath, each made with
// a build cache of its own, and sets opt.Tests.
func testScripts(ctx context.Context, g *gocmd.Command, opt *graph.Options, flags, checkFlags, packages, untested []string) (trimmed, kept string, err error) {
	script := func(g *gocmd.Command, flags []string) (string, error) {
		args := slices.Concat([]string{"test", "-n", "-vet=off"}, flags, checkFlags, packages, untested)
		return g.Script(ctx, opt.ModRoot, args)
	}
	// If all of them fail, the message of go test is shown.
	var trimErr, keepErr, listErr error
	var group sync.WaitGroup
	group.Go(func() { trimmed, trimErr = script(g, flags) })
	group.Go(func() { kept, keepErr = script(g.KeepingPaths(), gocmd.Without(flags, "-trimpath")) })
	if len(packages) > 0 {
		group.Go(func() { opt.Tests, listErr = testMains(ctx, g, opt.ModRoot, flags, packages) })
	}
	group.Wait()
	return trimmed, kept, cmp.Or(trimErr, keepErr, listErr)
}

// explainTests adds the patterns to the error if one of them matches nothing. Other errors
// it passes to explainAt.
func explainTests(err error, cfg *TestConfig, at *workspace.Place) error {
	var failed *gocmd.Failure
	if errors.As(err, &failed) && (strings.Contains(failed.Text, "directory not found") || strings.Contains(failed.Text, "no Go files in")) {
		return fmt.Errorf("%s\n\ndgd: testPackages names package patterns, such as ./cmd/... or an import path; it is %s", failed.Text, strings.Join(cfg.Package, ", "))
	}
	return explainAt(at, err, &cfg.Config)
}

// packagesOf returns the packages that the patterns match: those with tests, and those
// without, which go test compiles. Packages with errors are among the first, so that go
// test reports them. With libraries none is untested, as the build compiles all, and a
// pattern that matches no package is left out.
func packagesOf(ctx context.Context, g *gocmd.Command, dir string, flags, patterns []string, libraries bool) (tested, untested []string, err error) {
	list, err := g.List(ctx, dir, slices.Concat(
		[]string{"-e", "-json=ImportPath,TestGoFiles,XTestGoFiles,Error,Match"}, flags, []string{"--"}, patterns))
	if err != nil {
		return nil, nil, err
	}
	for _, p := range list {
		named := slices.ContainsFunc(p.Match, func(m string) bool { return !strings.Contains(m, "...") })
		switch {
		case libraries && p.Error != nil && noGoFiles.MatchString(p.Error.Err):
		case len(p.TestGoFiles)+len(p.XTestGoFiles) > 0, p.Error != nil && (named || !libraries):
			tested = append(tested, p.ImportPath)
		case !libraries:
			untested = append(untested, p.ImportPath)
		}
	}
	return tested, untested, nil
}

// testMains returns the main packages of the packages' test programs, by the name p.test.
func testMains(ctx context.Context, g *gocmd.Command, dir string, flags, packages []string) (map[string]graph.TestMain, error) {
	list, err := g.List(ctx, dir, slices.Concat(
		[]string{"-test", "-json=ImportPath,Dir,GoFiles"}, flags, []string{"--"}, packages))
	if err != nil {
		return nil, err
	}
	mains := map[string]graph.TestMain{}
	for _, p := range list {
		// A package may have such a name, too. But only the generated file has an
		// absolute path, that in the build cache.
		of, ok := strings.CutSuffix(p.ImportPath, ".test")
		if !ok || !slices.Contains(packages, of) || len(p.GoFiles) != 1 || !filepath.IsAbs(p.GoFiles[0]) {
			continue
		}
		text, err := os.ReadFile(p.GoFiles[0])
		if err != nil {
			return nil, err
		}
		mains[p.ImportPath] = graph.TestMain{Dir: p.Dir, Text: string(text)}
	}
	if len(mains) < len(packages) {
		missing := slices.DeleteFunc(slices.Clone(packages), func(p string) bool { _, ok := mains[p+".test"]; return ok })
		return nil, fmt.Errorf("go list -test lists no test programs of %s, only of %s", strings.Join(missing, ", "), strings.Join(slices.Sorted(maps.Keys(mains)), ", "))
	}
	return mains, nil
}
