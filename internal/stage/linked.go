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

// A LinkedModule is a module whose packages are linked into a program. Fields without a
// value are null.
type LinkedModule struct {
	Path    string       `json:"path"`
	Version string       `json:"version"` // "(devel)" for a member of a workspace
	Replace *Replacement `json:"replace"`
	Sum     *string      `json:"sum"` // h1:…, if the build is in module mode
	// Hash is the NAR hash (SRI) of the module's tree, Store its store path, and Licenses
	// the names of the licence files in its root. A module that is a directory of the
	// sources has no tree.
	Hash     *string  `json:"hash"`
	Store    *string  `json:"store"`
	Licenses []string `json:"licenses"`
	Programs []string `json:"programs"` // file names of the programs
}

// A Replacement is the replacement of a module. Its Version is null if its Path is a
// directory.
type Replacement struct {
	Path    string  `json:"path"`
	Version *string `json:"version"`
}

// LinkedConfig is the configuration of Linked.
type LinkedConfig struct {
	Plan       string `json:"plan"`       // file of the program's Plan
	Modules    string `json:"modules"`    // file of SplitModules' result, or ""
	ModulesDir string `json:"modulesDir"` // the directory that roots in Modules are relative to

	Locked []workspace.LockedModule `json:"locked"` // the modules of a lock, in place of Modules
}

// Linked returns the modules whose packages are linked into the planned programs, sorted
// by path. It is the module information that the programs will have.
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

// describe returns the hash and the licence files of a module's tree, which is at Root.
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
		return nil, errors.New("dgd does not understand the go command's module information for the programs")
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

// moduleInfo returns the module information of a program. The import config of the link
// has it.
func moduleInfo(n *graph.Node) (string, error) {
	for _, s := range n.Steps {
		if s.Write == nil || path.Base(s.Write.Path) != "importcfg.link" {
			continue
		}
		m := modinfo.FindStringSubmatch(s.Write.Text)
		if m == nil {
			continue
		}
		quoted, err := action.Expand(m[1], func(string) (string, bool) { return "", false })
		if err != nil {
			return "", err
		}
		return unquoteInfo(quoted)
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
	// A vendor directory has the module's path, and a module cache that of its
	// replacement.
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

// licenseFiles returns the names of the licence files in a directory, sorted. The list is
// empty and not nil if there are none.
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

// licenseFile matches the names of licence files, among them those that `go mod vendor`
// copies.
var licenseFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|copyright|copyleft|legal|notice|patents)`)
