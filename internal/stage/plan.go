// Package stage has the stages of the planner, in the order of the data:
// skeleton, plan, tests, probe, modules, bind and linked, and for the runs of
// tests needs and retest. Each has a file and a configuration of its own. The
// package is the planner's edge: it reads and writes files and runs the go
// command; most packages that it calls are pure.
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

// Config says what to plan.
type Config struct {
	Go       string            `json:"go"`       // store path of the toolchain, with bin/go
	Skeleton string            `json:"skeleton"` // file that WriteSkeleton made of the sources; empty for the standard library
	ModRoot  string            `json:"modRoot"`  // where the go command runs, relative to the sources: the main module's directory
	Vendor   string            `json:"vendor"`   // a vendor directory for the main module, or the workspace, or empty
	Flags    []string          `json:"flags"`    // of go build
	Env      map[string]string `json:"env"`
	EnvFile  string            `json:"envFile"` // file with the C compiler's environment (NUL-separated), or empty
	Probe    string            `json:"probe"`   // file of Probe's answer, or empty where cgo is off

	// Package lists the packages to build. With Libraries it may be null: then
	// every directory with Go files is one, but for those that Excluded leaves
	// out (see directories).
	Package  []string `json:"subPackages"`
	Excluded []string `json:"excludedPackages"`
	// Libraries means that packages that are no programs are built, too, and that
	// packages without Go files are left out: what nixpkgs does. Otherwise
	// either is an error.
	Libraries bool `json:"libraries"`

	// Settings is a file that changes some of these, or empty: see readSettings.
	Settings string `json:"settings"`

	// In place of Vendor: a module download cache, and what modules.Unpack made
	// of it.
	Downloads string `json:"downloads"`
	Unpacked  string `json:"unpacked"`
	// In place of these: the modules of a lock.
	Lock *workspace.Locked `json:"lock"`
	// DeleteVendor leaves out the sources' own vendor directory.
	DeleteVendor bool `json:"deleteVendor"`
	// Overrides are those that only a lock could meet.
	Overrides []workspace.Override `json:"overrides"`
	// Fallback lets the go command build what cannot be planned; null makes that
	// an error. The standard library's plan is then empty either way.
	Fallback *Fallback `json:"fallback"`

	// AnyCompiler plans without the answers of C compilers: see
	// graph.Options.AnyCompiler.
	AnyCompiler bool `json:"-"`
	// NoCache is that of gocmd.Command.
	NoCache string `json:"-"`

	whole error // why only the go command can carry this out, or nil
}

// A Plan is what planning gives to the later stages.
type Plan struct {
	Goroot string      `json:"goroot"` // relative to Config.Go
	Graph  graph.Graph `json:"graph"`
	// Vendor is where the vendor directory is, or would be, in the sources.
	Vendor string `json:"vendor,omitempty"`
	// Libraries means that the graph can have packages which no program needs.
	Libraries bool `json:"libraries,omitempty"`
	// TestModules is the form in which the go command of a test finds the
	// modules that are not in the sources.
	TestModules drvgen.ModulesForm `json:"testModules,omitempty"`
	// ByGo is a node of that kind, which does all that the graph does. It takes the
	// graph's place where that cannot be carried out; without it, that is an error.
	ByGo *graph.Node `json:"byGo,omitempty"`
	// Unplanned is why the graph is empty, or nothing.
	Unplanned string `json:"unplanned,omitempty"`
	// Programs are those that ByGo builds in place of a graph; null where nobody
	// knows what go has said of them.
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
	if err := plan.mayBuild(cfg, at, vars, commands); err != nil {
		return nil, err
	}
	if scriptErr != nil {
		return plan.leaveBuild(explainAt(at, scriptErr, cfg), text)
	}
	built, err := newGraph(text, vars, opt)
	if err == nil {
		err = checkBuildIDs(built)
	}
	if cfg.whole != nil {
		err = &unplanned{cfg.whole}
	}
	if err != nil {
		return plan.leaveBuild(err, text)
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
		if cfg.Libraries { // installed one after the other, and the last one stays
			return plan.leaveBuild(&unplanned{err}, text)
		}
		return nil, err
	}
	plan.Graph = *built
	return plan, nil
}

// planStd plans the standard library. What fails, or is not understood of it, may be
// no part of a program: then its packages are planned as the program's own.
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

// scriptOptions asks the toolchain for its variables, and says with them how a script
// that is made in dir is read. Goroot is relative to the toolchain.
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
		probed, err := readProbe(cfg.Probe)
		if err != nil {
			return nil, opt, "", err
		}
		opt.Compilers, opt.Unprobed = slices.Sorted(maps.Keys(probed.Compilers)), probed.Failed
	}
	return vars, opt, goroot, nil
}

// newGraph makes the graph of a script. What it does not understand is an
// unplanned error.
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

// moduleScript returns the script that builds the packages of the module. Its
// programs go to the directory bin, or to Go's own one. Commands are the
// arguments of the go command by which a derivation builds the same.
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
	return text, [][]string{slices.Concat([]string{"build"}, escapeAll(flags), []string{"-o", "${out}/bin/", "--"}, escapeAll(packages))}, err
}

// escapeAll makes literal strings safe from action.Expand.
func escapeAll(list []string) []string {
	escaped := make([]string, len(list))
	for i, s := range list {
		escaped[i] = action.Escape(s)
	}
	return escaped
}

// patterns are the package patterns to build.
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
	// There each is installed after the one before; of Go files, the first one names the program.
	if !cfg.Libraries && !slices.ContainsFunc(list, isGoFile) {
		slices.Sort(list)
	}
	return list, nil
}

// pattern is the package pattern that a subPackage stands for: a directory of
// the main module, or else an import path.
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

// isGoFile reports whether a pattern names a Go file: the files that are named are a
// package of their own.
func isGoFile(pattern string) bool { return strings.HasSuffix(pattern, ".go") }

// ofGoFiles is the import path of such a package.
const ofGoFiles = "command-line-arguments"

// hasMain checks that every package that was asked for, each once, is a program.
// ModRoot is where in the sources the patterns hold; one with dots stands for the
// programs that it matches.
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
		if !programs[name] && !strings.Contains(p, "...") && !(isGoFile(p) && programs[ofGoFiles]) {
			others = append(others, p)
		}
	}
	if len(others) > 0 || len(programs) == 0 {
		return fmt.Errorf("of the %d subPackages (%s) only %d are programs: name packages with `package main`",
			len(patterns), strings.Join(patterns, ", "), len(patterns)-max(len(others), 1))
	}
	return nil
}

// programs are the compilers' names, for the parser.
func programs(vars map[string]string) []string {
	var list []string
	for _, name := range []string{"CC", "CXX", "FC", "PKG_CONFIG"} {
		if words := strings.Fields(vars[name]); len(words) > 0 {
			list = append(list, words[0])
		}
	}
	return list
}
