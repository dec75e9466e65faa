// Package planner runs the Go toolchain where a build is planned: it asks
// `go build -n` for the script and `go build -x` for what a C compiler is given
// after probing. It is the edge of the planner: the stages that it calls are
// pure.
package planner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/bind"
	"dgd/internal/buildscript"
	"dgd/internal/drvgen"
	"dgd/internal/graph"
	"dgd/internal/modules"
	"dgd/internal/skeleton"
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
	// Libraries says that packages that are no programs are built, too, and that
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
	Lock *Locked `json:"lock"`
	// DeleteVendor leaves out the sources' own vendor directory.
	DeleteVendor bool `json:"deleteVendor"`
	// Overrides are those that only a lock could meet.
	Overrides []Override `json:"overrides"`
	// Fallback lets the go command build what cannot be planned; null makes that
	// an error. The standard library's plan is then empty either way.
	Fallback *Fallback `json:"fallback"`

	whole error // a flag that only the go command carries out: see useTable
}

// A Plan is what planning gives to the later stages.
type Plan struct {
	Goroot string      `json:"goroot"` // relative to Config.Go
	Graph  graph.Graph `json:"graph"`
	// Vendor is where the vendor directory is, or would be, in the sources.
	Vendor string `json:"vendor,omitempty"`
	// Libraries says that the graph can have packages which no program needs.
	Libraries bool `json:"libraries,omitempty"`
	// TestModules is the form in which the go command of a test finds the
	// modules that are not in the sources.
	TestModules drvgen.ModulesForm `json:"testModules,omitempty"`
	// Unplanned is why there is no graph of packages: that of a program has the
	// one node graph.ByGo then, that of the standard library none.
	Unplanned string `json:"unplanned,omitempty"`
	// Programs are those of a graph.ByGo.
	Programs []Program `json:"programs,omitempty"`

	cross string // the directory below bin in which go install puts programs for another platform
}

// toolVariables are those of cmd/go's variables that its tools take from the
// environment they inherit.
var toolVariables = []string{
	"GOOS", "GOARCH", "GOEXPERIMENT", "GOFIPS140", "GODEBUG",
	"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
}

// extLink is the variable that the linker alone takes.
const extLink = "GO_EXTLINK_ENABLED"

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
	g, err := newGo(cfg, dir)
	if err != nil {
		return nil, err
	}
	vars, opt, goroot, err := g.options(ctx, cfg, dir)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Goroot: goroot, Libraries: cfg.Libraries}
	if vars["GOOS"] != vars["GOHOSTOS"] || vars["GOARCH"] != vars["GOHOSTARCH"] {
		plan.cross = vars["GOOS"] + "_" + vars["GOARCH"]
	}
	if cfg.Skeleton == "" {
		return plan, g.planStd(ctx, cfg, plan, vars, opt)
	}
	at, err := g.layOut(ctx, cfg, dir, &opt)
	if err != nil {
		return nil, err
	}
	plan.Vendor = at.rel(at.vendor())
	text, commands, err := g.moduleScript(ctx, cfg, at, filepath.Join(dir, "bin"))
	if err != nil {
		return nil, at.explain(err, cfg)
	}
	built, err := newGraph(text, vars, opt)
	if err == nil {
		err = checkBuildIDs(built)
	}
	if cfg.whole != nil {
		err = &unplanned{cfg.whole}
	}
	if err != nil {
		return plan.leave(err, cfg, at, text, commands)
	}
	if !cfg.Libraries {
		packages, err := patterns(cfg, at.modRoot)
		if err != nil {
			return nil, err
		}
		if err := hasMain(built, at.rel(at.modRoot), packages); err != nil {
			return nil, err
		}
	}
	if err := checkNames(built, cfg); err != nil {
		return nil, err
	}
	plan.Graph = *built
	return plan, nil
}

// planStd plans the standard library. What is not understood of it may be no
// part of a program: then its packages are planned as the program's own.
func (g *goCommand) planStd(ctx context.Context, cfg *Config, plan *Plan, vars map[string]string, opt graph.Options) error {
	if cfg.whole != nil {
		plan.Unplanned = cfg.whole.Error()
		return nil
	}
	if err := os.MkdirAll(opt.Src, 0o777); err != nil {
		return err
	}
	text, err := g.script(ctx, opt.ModRoot, slices.Concat([]string{"build", "-n"}, cfg.Flags, []string{"std"}))
	if err != nil {
		return explain(err, cfg)
	}
	built, err := newGraph(text, vars, opt)
	var reason *unplanned
	switch {
	case errors.As(err, &reason):
		plan.Unplanned = reason.Error()
	case err != nil:
		return err
	default:
		plan.Graph = *built
	}
	return nil
}

// options asks the toolchain for its variables, and says with them how a script
// that is made in dir is read. Goroot is relative to the toolchain.
func (g *goCommand) options(ctx context.Context, cfg *Config, dir string) (vars map[string]string, opt graph.Options, goroot string, err error) {
	if vars, err = g.variables(ctx); err != nil {
		return nil, opt, "", err
	}
	goroot, err = filepath.Rel(cfg.Go, vars["GOROOT"])
	if err != nil || strings.HasPrefix(goroot, "..") {
		return nil, opt, "", fmt.Errorf("the Go toolchain %s has its GOROOT elsewhere: %s", cfg.Go, vars["GOROOT"])
	}
	opt = graph.Options{
		Goroot:    vars["GOROOT"],
		Src:       filepath.Join(dir, "src"),
		KeepPaths: !slices.Contains(cfg.Flags, "-trimpath"),
		CgoFlags:  cgoFlags,
	}
	opt.ModRoot = filepath.Join(opt.Src, cfg.ModRoot)
	for _, name := range toolVariables {
		if vars[name] != "" {
			opt.ToolEnv = append(opt.ToolEnv, name+"="+action.Escape(vars[name]))
		}
	}
	if value := vars[extLink]; value != "" {
		opt.LinkEnv = []string{extLink + "=" + value}
	}
	if cfg.Probe != "" {
		if opt.Compilers, err = readProbe(cfg.Probe); err != nil {
			return nil, opt, "", err
		}
	}
	return vars, opt, goroot, nil
}

// layOut lays out the sources and modules for a script that is made in dir, and
// says in opt where they are.
func (g *goCommand) layOut(ctx context.Context, cfg *Config, dir string, opt *graph.Options) (*place, error) {
	at, members, err := prepare(cfg, opt.Src)
	if err != nil {
		return nil, err
	}
	opt.Vendor = at.vendor()
	for _, m := range members {
		if m.dir == opt.ModRoot {
			opt.Module = m.mod.Module.Mod.Path
		}
	}
	switch {
	case cfg.Downloads != "":
		opt.ModCache = modCache(dir)
		err = linkModules(cfg, opt.ModCache)
	case cfg.Lock != nil:
		opt.ModCache = modCache(dir)
		err = at.useLock(cfg.Lock, members, opt.ModCache)
	}
	if err != nil {
		return nil, err
	}
	opt.LinkDir = linksInSources(cfg.Flags, opt.Src, opt.ModRoot)
	places, err := at.modulePlaces(opt.ModCache)
	if err != nil {
		return nil, err
	}
	relative := relativeEnv(g.env)
	opt.LookAt = func(n *graph.Node) error {
		// Nobody has asked the compiler what such a path leads to.
		n.Src.Whole = n.Src.Whole || relative && n.Cgo
		if !n.Src.Vendored {
			return nil
		}
		vendor := opt.Vendor
		if opt.ModCache != "" {
			vendor = opt.ModCache
		}
		return bind.LookAt(n, opt.Src, vendor, places)
	}
	if cfg.Probe != "" { // only a C compiler is told of modules
		if opt.Modules, err = at.others(ctx, g, cfg, members); err != nil {
			return nil, at.explain(err, cfg)
		}
	}
	return &at, nil
}

// newGraph makes the graph of a script. What it does not understand is an
// unplanned error.
func newGraph(text string, vars map[string]string, opt graph.Options) (*graph.Graph, error) {
	script, err := buildscript.Parse(text, buildscript.Options{Programs: programs(vars)})
	if err != nil {
		return nil, &unplanned{err}
	}
	for _, m := range script.Messages {
		fmt.Fprintln(os.Stderr, m)
	}
	if opt.Snapshot, err = snapshotDir(modCache(filepath.Dir(opt.Src))); err != nil {
		return nil, err
	}
	if opt.Snapshot != "" && opt.KeepPaths && opt.Tests == nil {
		return nil, &unplanned{errors.New("GOFIPS140 takes sources from the module cache, whose path is a part of a program without -trimpath")}
	}
	g, err := graph.New(script, opt)
	if err != nil {
		return nil, &unplanned{err}
	}
	return g, writeSnapshot(g, opt.Snapshot)
}

// SkeletonConfig says what to make a skeleton of.
type SkeletonConfig struct {
	Src   string `json:"src"`
	Tests bool   `json:"tests"` // for a plan of tests
	// For flags that name files: see Config.
	ModRoot  string            `json:"modRoot"`
	Env      map[string]string `json:"env"`
	Settings string            `json:"settings"`
}

// WriteSkeleton writes what a plan depends on of the sources to the new file out.
func WriteSkeleton(ctx context.Context, cfg *SkeletonConfig, out string) (err error) {
	plan := Config{Settings: cfg.Settings, ModRoot: cfg.ModRoot, Env: cfg.Env}
	if err := plan.readSettings(cfg.Src); err != nil {
		return err
	}
	whole := overlaid(cfg.Src, plan.ModRoot, plan.Env)
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if cfg.Tests {
		return skeleton.WriteTests(ctx, f, cfg.Src, whole...)
	}
	return skeleton.Write(ctx, f, cfg.Src, whole...)
}

// prepare lays out the sources' skeleton in src as the toolchain wants it, and
// returns what it found there.
func prepare(cfg *Config, src string) (at place, members []member, err error) {
	f, err := os.Open(cfg.Skeleton)
	if err != nil {
		return at, nil, err
	}
	defer f.Close()
	if err := skeleton.Unpack(f, src); err != nil {
		return at, nil, err
	}
	if at, err = locate(src, cfg.ModRoot, cfg.Env); err != nil {
		return at, nil, err
	}
	if err := at.closeLinks(); err != nil {
		return at, nil, err
	}
	members, needs, err := at.members()
	if err != nil {
		return at, nil, err
	}
	if cfg.DeleteVendor {
		if err := os.RemoveAll(at.vendor()); err != nil {
			return at, nil, err
		}
	}
	switch fetches := cfg.Lock != nil || cfg.Vendor != "" || cfg.Downloads != ""; {
	case fetches && exists(at.vendor()) && !at.vendored():
		return at, nil, fmt.Errorf("src has a vendor directory of its own without modules.txt, which go does not build with: set deleteVendor = true, or run `go %s vendor` and leave out vendorHash and modules", at.kind())
	case cfg.Lock != nil && exists(at.vendor()):
		return at, nil, errors.New("src has a vendor directory of its own: leave out modules, or set deleteVendor = true")
	case fetches && exists(at.vendor()):
		return at, nil, errors.New("src has a vendor directory of its own: leave out vendorHash or set it to null, or set deleteVendor = true")
	case cfg.Vendor != "":
		if err := os.Symlink(cfg.Vendor, at.vendor()); err != nil {
			return at, nil, err
		}
		if err := at.checkReplacedMods(cfg.Vendor, members); err != nil {
			return at, nil, err
		}
	case cfg.Downloads != "", cfg.Lock != nil:
	case needs && !exists(at.vendor()):
		return at, nil, errors.New("src needs other modules (go.mod has `require`), but vendorHash is missing: set vendorHash = \"\"; and Nix says the right one")
	}
	if len(cfg.Overrides) > 0 && at.vendored() {
		list, err := modules.ReadVendor(at.vendor())
		if err != nil {
			return at, nil, err
		}
		if err := checkOverrides(cfg.Overrides, list, cfg.Vendor == ""); err != nil {
			return at, nil, err
		}
	}
	return at, members, nil
}

// modCache is GOMODCACHE.
func modCache(dir string) string { return filepath.Join(dir, "mod") }

// linkModules makes a module cache in which the go command finds all modules
// downloaded and unpacked.
func linkModules(cfg *Config, cache string) error {
	list, err := modules.ReadUnpacked(cfg.Unpacked)
	if err != nil {
		return err
	}
	if err := checkOverrides(cfg.Overrides, list, false); err != nil {
		return err
	}
	for _, m := range list {
		rel, err := filepath.Rel(cfg.Unpacked, m.Tree.Root)
		if err != nil {
			return err
		}
		if err := link(m.Tree.Root, filepath.Join(cache, rel)); err != nil {
			return err
		}
	}
	// The directories are its own: go makes a lock where it looks for more.
	return filepath.WalkDir(cfg.Downloads, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) == ".lock" {
			return err
		}
		rel, err := filepath.Rel(cfg.Downloads, file)
		if err != nil {
			return err
		}
		return link(file, filepath.Join(cache, "cache", "download", rel))
	})
}

func link(target, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.Symlink(target, name)
}

// moduleScript returns the script that builds the packages of the module. Its
// programs go to the directory bin, or to Go's own one. Commands are the
// arguments of the go command by which a derivation builds the same.
func (g *goCommand) moduleScript(ctx context.Context, cfg *Config, at *place, bin string) (text string, commands [][]string, err error) {
	packages, err := patterns(cfg, at.modRoot)
	if err != nil {
		return "", nil, err
	}
	flags := slices.Clone(cfg.Flags)
	if at.vendored() {
		flags = append(flags, "-mod=vendor")
	}
	if cfg.Libraries {
		return g.install(ctx, at.modRoot, flags, packages)
	}
	text, err = g.script(ctx, at.modRoot, slices.Concat([]string{"build", "-n"}, flags, []string{"-o", bin + "/", "--"}, packages))
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
		list = append(list, pattern(modRoot, p))
	}
	slices.Sort(list)
	return slices.Compact(list), nil
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
		if !programs[name] && !strings.Contains(p, "...") {
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

// A goCommand runs the toolchain in surroundings of its own.
type goCommand struct {
	path string
	env  []string
	src  string // the sources, which messages do not name
}

func newGo(cfg *Config, dir string) (*goCommand, error) {
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o777); err != nil {
		return nil, err
	}
	// Telemetry is switched off by a file only. It goes on after the command.
	telemetry := filepath.Join(dir, "home", ".config", "go", "telemetry")
	if err := os.MkdirAll(telemetry, 0o777); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off"), 0o666); err != nil {
		return nil, err
	}
	g := &goCommand{path: filepath.Join(cfg.Go, "bin", "go"), src: filepath.Join(dir, "src")}
	if cfg.EnvFile != "" {
		text, err := os.ReadFile(cfg.EnvFile)
		if err != nil {
			return nil, err
		}
		g.env = strings.FieldsFunc(string(text), func(r rune) bool { return r == 0 })
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Env)) {
		g.env = append(g.env, name+"="+cfg.Env[name])
	}
	// A later value wins: what keeps planning pure stands at the end. With a
	// cache that is not empty, -n would print only what is missing. Compiler
	// wrappers ask for what Nix gives to a build.
	tmp := filepath.Join(dir, "tmp")
	g.env = append(g.env,
		"HOME="+filepath.Join(dir, "home"),
		"TMPDIR="+tmp, "TMP="+tmp, "TEMP="+tmp, "TEMPDIR="+tmp,
		"NIX_BUILD_TOP="+dir, "NIX_BUILD_CORES=1",
		"GOCACHE="+filepath.Join(dir, "cache"),
		"GOPATH="+filepath.Join(dir, "gopath"),
		"GOMODCACHE="+modCache(dir),
		"GOENV=off", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on",
	)
	return g, nil
}

func (g *goCommand) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(g.env), "PWD="+dir)
	return cmd
}

// variables returns what `go env` says of the variables that shape a build.
func (g *goCommand) variables(ctx context.Context) (map[string]string, error) {
	args := append([]string{"env", "-json", "GOROOT", "GOHOSTOS", "GOHOSTARCH", extLink, "CC", "CXX", "FC", "PKG_CONFIG"}, toolVariables...)
	out, err := g.output(ctx, "/", args...)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	if err := json.Unmarshal(out, &vars); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return vars, nil
}

// output runs go and returns what it prints on standard output.
func (g *goCommand) output(ctx context.Context, dir string, args ...string) ([]byte, error) {
	out, err := g.command(ctx, dir, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go %s: %s", args[0], bytes.TrimSpace(exit.Stderr))
		}
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}

// A goError is a failure of the go command, in its own words.
type goError struct{ text string }

func (e *goError) Error() string { return e.text }

// script runs go and returns what it prints on standard error: -n and -x print
// their scripts there.
func (g *goCommand) script(ctx context.Context, dir string, args []string) (string, error) {
	cmd := g.command(ctx, dir, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return "", fmt.Errorf("go build: %w", err)
		}
		return "", g.failure(dir, stderr.String())
	}
	return stderr.String(), nil
}

// failure is what go said in the directory, without the places of this build.
func (g *goCommand) failure(dir, text string) error {
	return &goError{strings.TrimSpace(strings.NewReplacer(dir+"/", "", g.src+"/", "").Replace(said(text)))}
}

// said leaves out of what go has printed the script, as far as -n came with it,
// so that the message is not lost among thousands of lines.
func said(text string) string {
	if !strings.Contains("\n"+text, "\nmkdir -p $WORK/") {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	rest := slices.Clone(lines) // without what is a message
	var message []string
	for range maxSaid {
		script, err := buildscript.Parse(strings.Join(rest, ""), buildscript.Options{})
		if err == nil {
			for _, m := range script.Messages {
				message = append(message, strings.SplitAfter(m+"\n", "\n")...)
			}
		}
		var unknown *buildscript.Error
		if !errors.As(err, &unknown) {
			break
		}
		i := unknown.Line - 1
		message = append(message, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return !slices.Contains(message, line) })
	if len(lines) == 0 {
		return text
	}
	return strings.Join(lines, "")
}

// maxSaid is how many lines of a message are looked for in a script.
const maxSaid = 40

// explain says what to do where the go command's own words do not.
func explain(err error, cfg *Config) error {
	var failed *goError
	if !errors.As(err, &failed) {
		return err
	}
	// A skeleton has no code between a file's //go:embed lines.
	text := embedPosition.ReplaceAllString(failed.text, "$1: pattern ")
	renew := "set vendorHash = \"\"; and Nix says the right one"
	if cfg.Lock != nil {
		renew = "`dgd lock`"
	}
	switch {
	case strings.Contains(text, "inconsistent vendoring") && cfg.Vendor != "":
		return fmt.Errorf("%s\n\ndgd: vendorHash is stale: it is the hash of modules for another go.mod, whose fetch is still in the store.\nSet vendorHash = \"\"; and Nix says the right one", firstLines(text, 8))
	case strings.Contains(text, "inconsistent vendoring") && strings.Contains(text, "go work vendor"):
		return fmt.Errorf("%s\n\ndgd: src has a vendor directory that does not fit its workspace: run `go work vendor`", firstLines(text, 8))
	case strings.Contains(text, "inconsistent vendoring"):
		return fmt.Errorf("%s\n\ndgd: src has a vendor directory that does not fit its go.mod: run `go mod vendor`", firstLines(text, 8))
	case cfg.Lock != nil && len(cfg.Lock.raised()) > 0 && lacksModule.MatchString(text):
		m := cfg.Lock.raised()[0]
		return fmt.Errorf("%s\n\ndgd: moduleOverrides gives %s the version %s, which may need modules that dgd.lock does not have: choose another version, or run `go get %s@%s` and `dgd lock`", firstLines(text, 8), m.Path, m.Version, m.Path, m.Version)
	case cfg.Lock != nil && strings.Contains(text, "disabled by GOPROXY=off"):
		return fmt.Errorf("%s\n\ndgd: dgd.lock lacks a module that the build needs: run `dgd lock`", firstLines(text, 8))
	case strings.Contains(text, "disabled by GOPROXY=off") && cfg.Downloads != "":
		return fmt.Errorf("%s\n\ndgd: vendorHash is stale: it is the hash of modules for another go.mod, whose fetch is still in the store.\nSet vendorHash = \"\"; and Nix says the right one", firstLines(text, 8))
	case strings.Contains(text, "missing go.sum entry"):
		return fmt.Errorf("%s\n\ndgd: go.sum does not fit go.mod: run `go mod tidy`, then %s", firstLines(text, 8), renew)
	case strings.Contains(text, "cannot find module providing package") && cfg.Vendor != "":
		return fmt.Errorf("%s\n\ndgd: an import is in no module of go.mod, or vendorHash is stale, as no package imported it before: run `go mod tidy`, then %s", text, renew)
	case strings.Contains(text, "cannot find module providing package"), strings.Contains(text, "no required module provides package"):
		return fmt.Errorf("%s\n\ndgd: an import is in no module of go.mod: run `go mod tidy`, then %s", text, renew)
	case strings.Contains(text, "not one of the workspace modules"), strings.Contains(text, "no modules were found in the current workspace"):
		return fmt.Errorf("%s\n\ndgd: the go.work of src leaves the module out: add it there, or set env.GOWORK = \"off\" to build the module alone", text)
	case replacement.MatchString(text):
		return fmt.Errorf("%s\n\ndgd: src must hold the replacement: let src be a directory above both, and modRoot the module's place in it", text)
	case strings.Contains(text, "does not contain package") && cfg.Package == nil:
		return fmt.Errorf("%s\n\ndgd: a directory below the module is a module of its own, or belongs to one, and cannot be built from here: name it in excludedPackages", text)
	case strings.Contains(text, "malformed import path") && cfg.Package == nil:
		return fmt.Errorf("%s\n\ndgd: a directory with Go files has a name that no package can have: name it in excludedPackages", text)
	case cfg.Package != nil && (strings.Contains(text, "directory not found") || strings.Contains(text, "no Go files in")):
		return fmt.Errorf("%s\n\ndgd: subPackage names a directory with a program, relative to the module's root, or the import path of a program; it is %s", text, strings.Join(cfg.Package, ", "))
	case strings.Contains(text, "no main packages to build"):
		return fmt.Errorf("%s\n\ndgd: subPackage %s is not a program: name a package with `package main`", text, strings.Join(cfg.Package, ", "))
	case newerGo.MatchString(text):
		return fmt.Errorf("%s\n\ndgd: go.mod wants a newer Go than the argument `go` gives: pass another toolchain, as in go = pkgs.go_latest;", text)
	}
	return errors.New(text)
}

var embedPosition = regexp.MustCompile(`(?m)(\.go):[0-9]+:[0-9]+: pattern `)

var replacement = regexp.MustCompile(`replacement directory \S+ does not exist|replaced by \S+: reading .*no such file`)

var lacksModule = regexp.MustCompile(`disabled by GOPROXY=off|missing go.sum entry|cannot find module providing package|no required module provides package|updates to go.mod needed`)

var newerGo = regexp.MustCompile(`requires go >= [0-9.]+`)

func firstLines(s string, n int) string {
	lines := strings.SplitN(s, "\n", n+1)
	if len(lines) > n {
		lines[n] = "…"
	}
	return strings.Join(lines, "\n")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
