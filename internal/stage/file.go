package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"dgd/internal/bind"
	"dgd/internal/gocmd"
	"dgd/internal/graph"
	"dgd/internal/group"
	"dgd/internal/planfile"
	"dgd/internal/skeleton"
	"dgd/internal/workspace"
)

// FileConfig is the configuration of MakeFile.
type FileConfig struct {
	Config
	Src         string // the sources
	Granularity string
	// ContentAddressed is the builder's argument. The plan depends on it only if there
	// is C.
	ContentAddressed bool
	Tests            *FileTests // nil for a plan without tests
}

// FileTests are the tests of a plan in a file.
type FileTests struct {
	Packages   []string            // patterns, as Config.Package
	CheckFlags []string            // flags of go test
	Data       map[string][]string // see bind.TestSources
}

// MakeFile plans a project and returns the plan for a file. It works in dir, which must
// not exist.
func MakeFile(ctx context.Context, cfg *FileConfig, dir string) (*planfile.File, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	settings := cfg.settings()
	cfg.AnyCompiler = true
	plans, err := cfg.plans(ctx, dir)
	if err != nil {
		return nil, err
	}
	project := &planfile.Project{Src: cfg.Src}
	g, err := gocmd.New(cfg.Go, cfg.EnvFile, cfg.Env, filepath.Join(dir, "go"))
	if err != nil {
		return nil, err
	}
	vars, err := g.Variables(ctx)
	if err != nil {
		return nil, err
	}
	settings["go"] = strings.TrimPrefix(vars["GOVERSION"], "go")
	settings["target"] = vars["GOOS"] + "/" + vars["GOARCH"]
	project.Target = vars["GOOS"] + "_" + vars["GOARCH"]
	project.Tools = vars["GOHOSTOS"] + "_" + vars["GOHOSTARCH"]
	settings["toolEnv"] = assigned(vars, gocmd.ToolVariables)
	if slices.ContainsFunc(plans.own(), func(n *graph.Node) bool { return n.Kind == graph.Package && n.Cgo && !n.Std }) {
		settings["cgoEnv"] = assigned(vars, gocmd.CVariables)
	}
	if t := cfg.Tests; t != nil {
		settings["tests"] = planfile.TestSettings{CheckFlags: t.CheckFlags, Data: t.Data, Modules: string(plans.tests.TestModules), Packages: t.Packages}
		settings["testvendor"] = plans.program.vendor()
	}
	project.Settings = settings
	file, err := cfg.byPackages(ctx, project, plans)
	if err == nil || !plans.program.fallBack(asUnplanned(ctx, err)) {
		return file, err
	}
	return cfg.byGo(ctx, project, plans)
}

// byPackages makes the file of a project, which has the settings already, with a line for
// each package.
func (cfg *FileConfig) byPackages(ctx context.Context, project *planfile.Project, plans *filePlans) (*planfile.File, error) {
	if p := plans.program; p.Unplanned != "" {
		return nil, errors.New(p.Unplanned)
	}
	if len(overlaid(cfg.Src, cfg.ModRoot, cfg.Env)) > 0 {
		return nil, errors.New("GOFLAGS has an overlay, which a plan in a file cannot have: leave out `plan`")
	}
	if err := cfg.addSources(ctx, project, plans); err != nil {
		return nil, err
	}
	return planfile.Make(project)
}

// byGo makes the file of a project whose programs the go command itself builds.
func (cfg *FileConfig) byGo(ctx context.Context, project *planfile.Project, plans *filePlans) (*planfile.File, error) {
	if cfg.Tests != nil {
		return nil, fmt.Errorf("a plan in a file cannot have the tests of programs that the go command itself builds (%s): leave out --tests, and buildGoModule runs them by `go test`", plans.program.Unplanned)
	}
	// Without the facts that byPackages has added.
	project = &planfile.Project{Src: project.Src, Settings: project.Settings, Target: project.Target, Tools: project.Tools}
	delete(project.Settings, "cgoEnv")
	delete(project.Settings, "contentAddressed")
	project.Settings["unplanned"] = plans.program.Unplanned
	project.Graph = &graph.Graph{Nodes: []*graph.Node{plans.program.ByGo}}
	var err error
	if project.Bound, err = bind.Sources(project.Graph, cfg.Src, plans.program.vendor(), nil); err != nil {
		return nil, err
	}
	digests, err := skeleton.Digest(ctx, cfg.Src, nil, planfile.Matches(cfg.Package))
	if err != nil {
		return nil, err
	}
	project.Digests, project.Rest = digests.Dirs, digests.Rest
	file, err := planfile.Make(project)
	if err != nil {
		return nil, err
	}
	file.Unplanned = plans.program.Unplanned
	return file, nil
}

// filePlans are the plans from which a file is made.
type filePlans struct{ std, program, tests *Plan }

// own returns the nodes of program and tests.
func (p *filePlans) own() []*graph.Node {
	return slices.Concat(p.program.Graph.Nodes, p.tests.Graph.Nodes)
}

// plans plans the standard library, the program and its tests in parallel.
func (cfg *FileConfig) plans(ctx context.Context, dir string) (*filePlans, error) {
	skeletonOf := func(name string, tests bool) (string, error) {
		file := filepath.Join(dir, name)
		return file, WriteSkeleton(ctx, &SkeletonConfig{Src: cfg.Src, Tests: tests, ModRoot: cfg.ModRoot, Env: cfg.Env}, file)
	}
	plans := &filePlans{tests: &Plan{}}
	var group errgroup.Group
	group.Go(func() (err error) {
		c := Config{Go: cfg.Go, Env: maps.Clone(cfg.Env), AnyCompiler: true, NoCache: cfg.NoCache}
		c.Flags = slices.DeleteFunc(slices.Clone(cfg.Flags), func(f string) bool { return strings.HasPrefix(f, "-ldflags=") })
		plans.std, err = Make(ctx, &c, filepath.Join(dir, "std"))
		return err
	})
	group.Go(func() (err error) {
		c := cfg.Config
		if c.Skeleton, err = skeletonOf("skeleton", false); err != nil {
			return err
		}
		plans.program, err = Make(ctx, &c, filepath.Join(dir, "program"))
		return err
	})
	if cfg.Tests != nil {
		group.Go(func() (err error) {
			c := TestConfig{Config: cfg.Config, CheckFlags: cfg.Tests.CheckFlags}
			c.Package, c.Fallback = cfg.Tests.Packages, nil
			if c.Skeleton, err = skeletonOf("test-skeleton", true); err != nil {
				return err
			}
			if plans.tests, err = MakeTests(ctx, &c, filepath.Join(dir, "tests")); err != nil {
				return fmt.Errorf("the tests: %w", err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return plans, nil
}

// Key returns a hash of all settings but the target. It is the same on every machine.
func (cfg *FileConfig) Key() (string, error) {
	text, err := json.Marshal(map[string]any{"settings": cfg.settings(), "tests": cfg.Tests, "contentAddressed": cfg.ContentAddressed})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:2]), nil
}

// settings returns the settings that evaluation compares with the arguments of a builder.
func (cfg *FileConfig) settings() map[string]any {
	env := maps.Clone(cfg.Env)
	for _, name := range []string{"GOOS", "GOARCH", "CGO_ENABLED"} {
		delete(env, name)
	}
	modules := "sources"
	if cfg.Lock != nil {
		modules = "lock"
	}
	excluded := cfg.Excluded
	if excluded == nil {
		excluded = []string{}
	}
	return map[string]any{
		"cgo":         cfg.Env["CGO_ENABLED"] == "1",
		"env":         env,
		"excluded":    excluded,
		"flags":       cfg.Flags,
		"granularity": cfg.Granularity,
		"libraries":   cfg.Libraries,
		"modRoot":     path.Clean(cfg.ModRoot),
		"modules":     modules,
		"packages":    cfg.Package,
	}
}

// addSources binds the program and the tests to the sources, as Bind does, and adds the
// result and the digests of the sources to the project.
func (cfg *FileConfig) addSources(ctx context.Context, project *planfile.Project, plans *filePlans) error {
	vendored, err := cfg.addModules(ctx, project)
	if err != nil {
		return err
	}
	program := plans.program
	if project.Native, err = cfg.native(plans, vendored); err != nil {
		return err
	}
	j, err := join(bind.Divide(cfg.Src, program.vendor(), cfg.ContentAddressed), plans.std, program, plans.tests)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(j.graph.Nodes, func(n *graph.Node) bool { return n.Kind == graph.Objects }) {
		// Only content-addressed derivations find out which files C reads.
		project.Settings["contentAddressed"] = cfg.ContentAddressed
	}
	if project.Bound, err = bind.Sources(j.graph, cfg.Src, program.vendor(), vendored); err != nil {
		return err
	}
	if project.Groups, err = j.groups(project.Bound, cfg.Granularity); err != nil {
		return err
	}
	project.Graph = j.graph
	if project.Std, _, err = stdDerivations(plans.std, group.Std(&plans.std.Graph)); err != nil {
		return err
	}
	digests, err := skeleton.Digest(ctx, cfg.Src, cfg.directories(j.graph.Nodes[:j.ends[1]], program), planfile.Matches(cfg.Package))
	if err != nil {
		return err
	}
	project.Digests, project.Rest = digests.Dirs, digests.Rest
	if cfg.Tests == nil {
		return nil
	}
	data, err := bind.TestSources(j.graph, cfg.Src, program.vendor(), cfg.Tests.Data)
	if err != nil {
		return err
	}
	maps.Copy(project.Bound, data)
	digests, err = skeleton.DigestTests(ctx, cfg.Src, cfg.directories(j.graph.Nodes[j.ends[1]:], program), planfile.Matches(cfg.Tests.Packages))
	if err != nil {
		return err
	}
	project.Tests = &planfile.Tests{First: j.ends[1], Digests: digests.Dirs, Rest: digests.Rest}
	return nil
}

// addModules adds the modules to the project, and returns them.
func (cfg *FileConfig) addModules(ctx context.Context, project *planfile.Project) ([]bind.Module, error) {
	var trees []ModuleTree
	var err error
	if cfg.Lock != nil {
		trees, err = readModules("", cfg.Lock.Modules)
	} else {
		trees, err = SplitModules(ctx, &SplitConfig{Src: cfg.Src, ModRoot: cfg.ModRoot, Env: cfg.Env, StoreDir: "/"}, nil)
	}
	if err != nil {
		return nil, err
	}
	for _, t := range trees {
		project.Modules = append(project.Modules, planfile.Module{Dir: t.Dir, Store: t.Store, Root: t.Root, Name: t.Name, Exclude: t.Exclude})
	}
	at, err := workspace.Locate(cfg.Src, cfg.ModRoot, cfg.Env)
	if err != nil {
		return nil, err
	}
	members, _, err := at.Members()
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		project.Mains = append(project.Mains, m.Mod.Module.Mod.Path)
	}
	return toBind(trees), nil
}

// directories returns the directories of the packages of nodes, relative to the sources.
// Modules of a lock are not in the sources.
func (cfg *FileConfig) directories(nodes []*graph.Node, program *Plan) []string {
	var dirs []string
	for _, n := range nodes {
		switch {
		case n.Kind != graph.Package && n.Kind != graph.Test || n.Src == nil:
		case !n.Src.Vendored:
			dirs = append(dirs, n.Src.Dir)
		case cfg.Lock == nil:
			dirs = append(dirs, program.vendor()+strings.TrimPrefix(n.Src.Dir, "vendor"))
		}
	}
	return dirs
}

// native returns the digests of the packages with assembly or C, of which a plan depends on
// more than the skeleton, by import path.
func (cfg *FileConfig) native(plans *filePlans, vendored []bind.Module) (map[string]planfile.Native, error) {
	program := plans.program
	if cfg.Lock == nil {
		for _, p := range []*Plan{program, plans.tests} {
			if err := p.lookAgain(cfg.Src, vendored); err != nil {
				return nil, err
			}
		}
	}
	found := map[string]planfile.Native{}
	for _, n := range plans.own() {
		if n.Kind != graph.Package || n.Src == nil || !n.Src.Native {
			continue
		}
		own := n.Src.Dir
		if n.Src.Vendored {
			if cfg.Lock != nil && n.Src.Reach != graph.ReachAll {
				continue // the lock fixes the module's contents
			}
			own = program.vendor()
			if i := bind.ModuleOf(n.Src.Dir, vendored); i >= 0 {
				own += "/" + vendored[i].Dir
			}
		}
		dir := bind.DigestDir(n, own)
		digest, err := bind.Digest(cfg.Src, program.vendor(), dir)
		if err != nil {
			return nil, err
		}
		found[n.Name] = planfile.Native{Dir: dir, Digest: digest}
	}
	return found, nil
}

// assigned returns the variables with these names that are not empty, as NAME=VALUE.
func assigned(vars map[string]string, names []string) []string {
	env := []string{}
	for _, name := range names {
		if vars[name] != "" {
			env = append(env, name+"="+vars[name])
		}
	}
	return env
}
