// Package stage has the stages of the planner: skeleton, plan, tests, probe, modules,
// bind and linked, in the order of the data, and needs and retest for the runs of tests.
// Each has a file and a configuration of its own. This package reads and writes files
// and runs the go command; most packages that it calls are pure.
package stage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/buildscript"
	"dgd/internal/drvgen"
	"dgd/internal/gocmd"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

// Config is the configuration of Make.
type Config struct {
	Go       string            `json:"go"`       // store path of the toolchain, with bin/go
	Skeleton string            `json:"skeleton"` // file of the sources' skeleton; "" to plan the standard library
	ModRoot  string            `json:"modRoot"`  // directory in which the go command runs, relative to the sources
	Vendor   string            `json:"vendor"`   // a vendor directory for the main module or the workspace, or ""
	Flags    []string          `json:"flags"`    // of go build
	Env      map[string]string `json:"env"`
	EnvFile  string            `json:"envFile"` // file with the C compiler's environment (NUL-separated), or ""
	Probe    string            `json:"probe"`   // file of Probe's result, or "" if cgo is off

	// Package has the packages to build. With Libraries it may be null: then every
	// directory with Go files is built, but for those that Excluded matches (see
	// directories).
	Package  []string `json:"subPackages"`
	Excluded []string `json:"excludedPackages"`
	// Libraries means that packages that are not programs are built, too, and that
	// packages without Go files are left out, as in nixpkgs. Without it both are errors.
	Libraries bool `json:"libraries"`

	// Settings is a file that changes some of these fields, or "": see readSettings.
	Settings string `json:"settings"`

	// Downloads is a module download cache and Unpacked the result of modules.Unpack for
	// it; they replace Vendor. Lock has the modules of a lock, and replaces all of these.
	Downloads string            `json:"downloads"`
	Unpacked  string            `json:"unpacked"`
	Lock      *workspace.Locked `json:"lock"`
	// DeleteVendor removes the sources' own vendor directory.
	DeleteVendor bool `json:"deleteVendor"`
	// Overrides are the moduleOverrides of a build without a lock.
	Overrides []workspace.Override `json:"overrides"`
	// Fallback lets the go command itself build programs that cannot be planned. If it is
	// null, that is an error. The plan of the standard library is empty in either case.
	Fallback *Fallback `json:"fallback"`

	// AnyCompiler is graph.Options.AnyCompiler: it plans without the result of Probe.
	AnyCompiler bool `json:"-"`
	// NoCache is gocmd.Command.NoCache.
	NoCache string `json:"-"`

	whole error // the reason why only the go command itself can build this, or nil
}

// A Plan is the result of planning.
type Plan struct {
	Goroot string      `json:"goroot"` // relative to Config.Go
	Graph  graph.Graph `json:"graph"`
	// Vendor is the vendor directory, relative to the sources, whether or not it exists.
	Vendor string `json:"vendor,omitempty"`
	// Libraries means that the graph can have packages which no program needs.
	Libraries bool `json:"libraries,omitempty"`
	// TestModules is the form in which the go command of a test finds the modules that
	// are not in the sources.
	TestModules drvgen.ModulesForm `json:"testModules,omitempty"`
	// ByGo is a node of the kind graph.ByGo, which builds the same as the graph. It is
	// used if the build cannot be planned or bound; if it is null, that is an error.
	ByGo *graph.Node `json:"byGo,omitempty"`
	// Unplanned is the reason why the graph is empty, or "".
	Unplanned string `json:"unplanned,omitempty"`
	// Programs are those that ByGo builds if the graph is empty. It is null if their
	// module information cannot be read.
	Programs []Program `json:"programs"`
}

// Make plans a build. It works in dir, which must not exist.
func Make(ctx context.Context, cfg *Config, dir string) (*Plan, error) {
	if err := cfg.readSettings(filepath.Join(dir, "src")); err != nil {
		return nil, err
	}
	if cfg.Skeleton == "" {
		var err error
		if cfg, err = forStd(cfg); err != nil {
			return nil, err
		}
	}
	g, err := gocmd.New(cfg.Go, cfg.EnvFile, cfg.Env, dir)
	if err != nil {
		return nil, err
	}
	g.NoCache = cfg.NoCache
	vars, opt, goroot, err := scriptOptions(ctx, g, cfg, dir)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Goroot: goroot, Libraries: cfg.Libraries}
	if cfg.Skeleton == "" {
		return plan, planStd(ctx, g, cfg, plan, vars, opt)
	}
	at, err := layOut(ctx, g, cfg, dir, &opt)
	if err != nil {
		return nil, err
	}
	plan.Vendor = at.Rel(at.Vendor())
	text, commands, scriptErr := moduleScript(ctx, g, cfg, at, filepath.Join(dir, "bin"))
	if err := plan.setBuildByGo(cfg, at, vars, commands); err != nil {
		return nil, err
	}
	if scriptErr != nil {
		return plan.fallBackForBuild(explainAt(at, scriptErr, cfg), text)
	}
	built, err := newGraph(text, vars, opt)
	if err == nil {
		err = checkBuildIDs(built)
	}
	if cfg.whole != nil {
		err = &unplanned{cfg.whole}
	}
	if err != nil {
		return plan.fallBackForBuild(err, text)
	}
	if !cfg.Libraries {
		packages, err := patterns(cfg, at.ModRoot)
		if err != nil {
			return nil, err
		}
		if err := hasMain(built, at.Rel(at.ModRoot), packages); err != nil {
			return nil, err
		}
	}
	if err := checkNames(built, cfg); err != nil {
		if cfg.Libraries { // go install writes one over the other
			return plan.fallBackForBuild(&unplanned{err}, text)
		}
		return nil, err
	}
	plan.Graph = *built
	return plan, nil
}

// planStd plans the standard library. If that fails the plan is empty, as no program may
// need the package with the error: programs then have packages of their own.
func planStd(ctx context.Context, g *gocmd.Command, cfg *Config, plan *Plan, vars map[string]string, opt graph.Options) error {
	if cfg.whole != nil {
		plan.Unplanned = cfg.whole.Error()
		return nil
	}
	if err := os.MkdirAll(opt.Src, 0o777); err != nil {
		return err
	}
	text, err := g.Script(ctx, opt.ModRoot, slices.Concat([]string{"build", "-n"}, cfg.Flags, []string{"std"}))
	if err != nil {
		plan.Unplanned = err.Error()
		return nil
	}
	built, err := newGraph(text, vars, opt)
	if err != nil {
		plan.Unplanned = err.Error()
		return nil
	}
	plan.Graph = *built
	return nil
}

// scriptOptions returns the variables of the toolchain, the options for a script that is
// made in dir, and GOROOT relative to the toolchain's store path.
func scriptOptions(ctx context.Context, g *gocmd.Command, cfg *Config, dir string) (vars map[string]string, opt graph.Options, goroot string, err error) {
	if vars, err = g.Variables(ctx); err != nil {
		return nil, opt, "", err
	}
	goroot, err = filepath.Rel(cfg.Go, vars["GOROOT"])
	if err != nil || strings.HasPrefix(goroot, "..") {
		goroot, cfg.whole = ".", fmt.Errorf("the Go toolchain %s has its GOROOT elsewhere: %s", cfg.Go, vars["GOROOT"])
	}
	opt = graph.Options{
		Goroot:    vars["GOROOT"],
		Src:       filepath.Join(dir, "src"),
		KeepPaths: !slices.Contains(cfg.Flags, "-trimpath"),
		CgoFlags:  cgoFlags,

		AnyCompiler: cfg.AnyCompiler,
	}
	opt.ModRoot = filepath.Join(opt.Src, cfg.ModRoot)
	for _, name := range gocmd.ToolVariables {
		if vars[name] != "" {
			opt.ToolEnv = append(opt.ToolEnv, name+"="+action.Escape(vars[name]))
		}
	}
	if value := vars[gocmd.ExtLink]; value != "" {
		opt.LinkEnv = []string{gocmd.ExtLink + "=" + value}
	}
	if cfg.Probe != "" {
		var probed action.Probed
		if err := readJSON(cfg.Probe, &probed); err != nil {
			return nil, opt, "", err
		}
		opt.Compilers, opt.Unprobed = slices.Sorted(maps.Keys(probed.Compilers)), probed.Failed
	}
	return vars, opt, goroot, nil
}

// newGraph returns the graph of a script. All errors are unplanned errors.
func newGraph(text string, vars map[string]string, opt graph.Options) (*graph.Graph, error) {
	g, err := readGraph(text, vars, opt)
	if err != nil {
		return nil, &unplanned{err}
	}
	return g, nil
}

func readGraph(text string, vars map[string]string, opt graph.Options) (*graph.Graph, error) {
	script, err := buildscript.Parse(text, buildscript.Options{Programs: programs(vars)})
	if err != nil {
		return nil, err
	}
	for _, m := range script.Messages {
		fmt.Fprintln(os.Stderr, m)
	}
	if opt.Snapshot, err = snapshotDir(gocmd.ModCache(filepath.Dir(opt.Src))); err != nil {
		return nil, err
	}
	if opt.Snapshot != "" && opt.KeepPaths && opt.Tests == nil {
		return nil, errors.New("GOFIPS140 takes sources from the module cache, whose path is a part of a program without -trimpath")
	}
	g, err := graph.New(script, opt)
	if err != nil {
		return nil, err
	}
	if err := graph.SortLinks(g); err != nil {
		return nil, err
	}
	return g, writeSnapshot(g, opt.Snapshot)
}

// moduleScript returns the script that builds the packages of the module, and the
// arguments of the go commands that build the same in a derivation. Programs are written to
// the directory bin, or with Libraries to that of go install.
func moduleScript(ctx context.Context, g *gocmd.Command, cfg *Config, at *workspace.Place, bin string) (text string, commands [][]string, err error) {
	packages, err := patterns(cfg, at.ModRoot)
	if err != nil {
		return "", nil, err
	}
	flags := slices.Clone(cfg.Flags)
	if at.Vendored() {
		flags = append(flags, "-mod=vendor")
	}
	if cfg.Libraries {
		return install(ctx, g, at.ModRoot, flags, packages)
	}
	text, err = g.Script(ctx, at.ModRoot, slices.Concat([]string{"build", "-n"}, flags, []string{"-o", bin + "/", "--"}, packages))
	return text, [][]string{slices.Concat([]string{"build"}, graph.EscapeAll(flags), []string{"-o", "${out}/bin/", "--"}, graph.EscapeAll(packages))}, err
}

// patterns returns the package patterns to build.
func patterns(cfg *Config, modRoot string) ([]string, error) {
	if cfg.Package == nil && cfg.Libraries {
		return directories(modRoot, cfg.Excluded)
	}
	named := cfg.Package
	if cfg.Libraries {
		var err error
		if named, err = expand(modRoot, named); err != nil {
			return nil, err
		}
	}
	var list []string
	for _, p := range named {
		if p = pattern(modRoot, p); !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	// With Libraries the order matters: go install runs once for each. The first of
	// several Go files names the program.
	if !cfg.Libraries && !slices.ContainsFunc(list, isGoFile) {
		slices.Sort(list)
	}
	return list, nil
}

// pattern returns the package pattern of a subPackage, which is a directory of the main
// module or an import path.
func pattern(modRoot, p string) string {
	if p == "." || strings.HasPrefix(p, "./") {
		return p
	}
	if info, err := os.Stat(filepath.Join(modRoot, p)); err == nil && info.IsDir() {
		return "./" + p
	}
	if first, _, ok := strings.Cut(p, "/"); ok && strings.Contains(strings.TrimSuffix(first, "..."), ".") {
		return p
	}
	return "./" + p
}

// isGoFile reports whether a pattern is a Go file. The Go files on a command line are one
// package.
func isGoFile(pattern string) bool { return strings.HasSuffix(pattern, ".go") }

// goFilesPackage is the import path of the package of Go files.
const goFilesPackage = "command-line-arguments"

// hasMain returns an error unless every pattern is a program. Patterns with dots may match
// other packages, too. ModRoot is the directory, relative to the sources, in which the go
// command runs.
func hasMain(g *graph.Graph, modRoot string, patterns []string) error {
	programs := map[string]bool{} // import paths, and directories behind "./"
	for _, n := range g.Nodes {
		if n.Kind == graph.Link {
			programs[n.Name] = true
		}
	}
	for _, n := range g.Nodes {
		if n.Kind == graph.Package && n.Src != nil && programs[n.Name] {
			programs["./"+n.Src.Dir] = true
		}
	}
	var others []string
	for _, p := range patterns {
		name := p
		if p == "." || strings.HasPrefix(p, "./") {
			name = "./" + path.Join(modRoot, p)
		}
		if !programs[name] && !strings.Contains(p, "...") && !(isGoFile(p) && programs[goFilesPackage]) {
			others = append(others, p)
		}
	}
	if len(others) > 0 || len(programs) == 0 {
		return fmt.Errorf("of the %d subPackages (%s) only %d are programs: name packages with `package main`",
			len(patterns), strings.Join(patterns, ", "), len(patterns)-max(len(others), 1))
	}
	return nil
}

// programs returns the names of the compilers, for buildscript.Options.
func programs(vars map[string]string) []string {
	var list []string
	for _, name := range []string{"CC", "CXX", "FC", "PKG_CONFIG"} {
		if words := strings.Fields(vars[name]); len(words) > 0 {
			list = append(list, words[0])
		}
	}
	return list
}
