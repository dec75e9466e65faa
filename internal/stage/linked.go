package stage

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/modules"
	"dgd/internal/nix/nar"
	"dgd/internal/workspace"
)

// A LinkedModule is a module that packages of a program come from. Fields
// without a value are null.
type LinkedModule struct {
	Path    string       `json:"path"`
	Version string       `json:"version"` // "(devel)" for one of a workspace
	Replace *Replacement `json:"replace"` // what stands in for it
	Sum     *string      `json:"sum"`     // h1, where the build is in module mode
	// Of the module's tree as dgd has it: its NAR hash (SRI), store path, and
	// the names of the files in its root that say under which terms it is. A
	// module that is a directory of the sources has no tree.
	Hash     *string  `json:"hash"`
	Store    *string  `json:"store"`
	Licenses []string `json:"licenses"`
	// Programs are those that it is linked into, by their file names.
	Programs []string `json:"programs"`
}

// A Replacement stands in for a module. Its Version is null where its Path is a
// directory.
type Replacement struct {
	Path    string  `json:"path"`
	Version *string `json:"version"`
}

// LinkedConfig says what was planned, and where its modules are.
type LinkedConfig struct {
	Plan       string `json:"plan"`       // file of the program's Plan
	Modules    string `json:"modules"`    // file of SplitModules' result, or empty
	ModulesDir string `json:"modulesDir"` // what the roots in it are relative to

	Locked []workspace.LockedModule `json:"locked"` // in place of Modules: those of a lock
}

// Linked returns the modules whose packages are linked into the planned
// programs, sorted by path: what the programs themselves will say of it.
func Linked(cfg *LinkedConfig) ([]LinkedModule, error) {
	var plan Plan
	if err := readJSON(cfg.Plan, &plan); err != nil {
		return nil, err
	}
	trees, err := readModules(cfg.Modules, cfg.Locked)
	if err != nil {
		return nil, err
	}
	for i := range trees {
		t := &trees[i]
		if t.Root = filepath.Join(cfg.ModulesDir, filepath.FromSlash(t.Root)); cfg.Modules == "" {
			t.Root = t.Store
		}
	}
	return linked(&plan, trees, describe)
}

// describe returns what is to be said of a module's tree, at its Root: the hash,
// where it is not known yet, and the licence files.
func describe(t *ModuleTree) (hash string, licenses []string, err error) {
	hash = t.SHA256
	if hash == "" {
		h, err := nar.Tree{Root: t.Root}.Hash()
		if err != nil {
			return "", nil, err
		}
		hash = h.SRI()
	}
	licenses, err = licenseFiles(t.Root)
	return hash, licenses, err
}

func linked(plan *Plan, trees []ModuleTree, describe func(*ModuleTree) (string, []string, error)) ([]LinkedModule, error) {
	byDir := map[string]*ModuleTree{}
	for i := range trees {
		byDir[trees[i].Dir] = &trees[i]
	}
	found := map[string]*LinkedModule{}
	programs, err := programsIn(plan)
	if err != nil {
		return nil, err
	}
	for _, p := range programs {
		info, err := debug.ParseBuildInfo(p.Info)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		for _, dep := range info.Deps {
			m := found[dep.Path]
			if m == nil {
				if m, err = linkedModule(dep, byDir, describe); err != nil {
					return nil, err
				}
				found[dep.Path] = m
			}
			m.Programs = append(m.Programs, p.Main)
		}
	}
	list := []LinkedModule{}
	for _, m := range found {
		slices.Sort(m.Programs)
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b LinkedModule) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// programsIn returns the programs of a plan.
func programsIn(plan *Plan) ([]Program, error) {
	if plan.Unplanned != "" && plan.Programs == nil {
		return nil, errors.New("dgd does not understand what go says of the programs' modules")
	}
	programs := slices.Clone(plan.Programs)
	for _, n := range plan.Graph.Nodes {
		if n.Kind != graph.Link {
			continue
		}
		info, err := moduleInfo(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		programs = append(programs, Program{Name: n.Name, Main: n.Main, Info: info})
	}
	return programs, nil
}

// moduleInfo is what the go command puts into a program about its modules. The
// linker reads it in the import config.
func moduleInfo(n *graph.Node) (string, error) {
	for _, s := range n.Steps {
		if s.Write == nil || path.Base(s.Write.Path) != "importcfg.link" {
			continue
		}
		for line := range strings.Lines(s.Write.Text) {
			quoted, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "modinfo ")
			if !ok {
				continue
			}
			quoted, err := action.Expand(quoted, func(string) (string, bool) { return "", false })
			if err != nil {
				return "", err
			}
			return unquoteInfo(quoted)
		}
	}
	return "", errors.New("the program has no module information")
}

func linkedModule(dep *debug.Module, byDir map[string]*ModuleTree, describe func(*ModuleTree) (string, []string, error)) (*LinkedModule, error) {
	m := &LinkedModule{Path: dep.Path, Version: dep.Version, Licenses: []string{}}
	from := module.Version{Path: dep.Path, Version: dep.Version}
	sum, here := dep.Sum, dep.Version == "(devel)"
	if r := dep.Replace; r != nil {
		from, sum, here = module.Version{Path: r.Path, Version: r.Version}, r.Sum, r.Version == "" || r.Version == "(devel)"
		m.Replace = &Replacement{Path: r.Path}
		if !here {
			m.Replace.Version = &r.Version
		}
	}
	if sum != "" {
		m.Sum = &sum
	}
	// A vendor directory has it under its own path, and a module cache what
	// stands in for it.
	tree := byDir[dep.Path]
	if tree == nil && !here {
		dir, err := modules.TreeName(from)
		if err != nil {
			return nil, err
		}
		if tree = byDir[dir]; tree == nil {
			return nil, fmt.Errorf("the module %s is linked into a program, but it is not among those that were fetched", from)
		}
	}
	if tree != nil {
		hash, licenses, err := describe(tree)
		if err != nil {
			return nil, fmt.Errorf("module %s: %w", dep.Path, err)
		}
		m.Hash, m.Store, m.Licenses = &hash, &tree.Store, licenses
	}
	return m, nil
}

// licenseFiles returns the names of the files in the root of a module that say
// under which terms it is, sorted; an empty list where there is none.
func licenseFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, e := range entries {
		if e.Type().IsRegular() && licenseFile.MatchString(e.Name()) && path.Ext(e.Name()) != ".go" {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// licenseFile matches such names, among them those of the files that
// `go mod vendor` keeps for this reason.
var licenseFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|copyright|copyleft|legal|notice|patents)`)
