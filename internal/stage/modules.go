package stage

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"dgd/internal/bind"
	"dgd/internal/modules"
	"dgd/internal/nix/nar"
	"dgd/internal/nix/socket"
	"dgd/internal/workspace"
)

// ModuleTree is the tree of one module. Its place below a vendor directory, or
// below a module cache, is Root.
type ModuleTree struct {
	SourceTree
	Dir string `json:"dir"` // below the vendor directory, or the module cache
}

// readModules returns the modules of a build: those in the file of SplitModules'
// result, or else those of a lock, by their places in the module cache.
func readModules(file string, locked []workspace.LockedModule) (list []ModuleTree, err error) {
	if file != "" {
		return list, readJSON(file, &list)
	}
	for _, m := range locked {
		dir, err := m.Dir()
		if err != nil {
			return nil, err
		}
		list = append(list, ModuleTree{Dir: dir, SourceTree: SourceTree{Store: m.Tree}})
	}
	return list, nil
}

// toBind are modules in the form that package bind takes.
func toBind(list []ModuleTree) []bind.Module {
	var modules []bind.Module
	for _, m := range list {
		modules = append(modules, bind.Module{Dir: m.Dir, Store: m.Store})
	}
	return modules
}

// SplitConfig says where modules are: in one of two directories, or in the
// vendor directory of the sources.
type SplitConfig struct {
	Vendor   string `json:"vendor"`   // a vendor directory
	Unpacked string `json:"unpacked"` // what modules.Unpack made of a download cache
	StoreDir string `json:"storeDir"`

	Src     string            `json:"src"`
	ModRoot string            `json:"modRoot"`
	Env     map[string]string `json:"env"` // of the go command
	// Settings is a file that changes these, or empty: see readSettings.
	Settings string `json:"settings"`
}

// SplitModules gives each module a tree of its own. With a store the trees are
// added to it. Their roots are relative to the directory that the configuration
// names; where that is the sources, to these.
func SplitModules(ctx context.Context, cfg *SplitConfig, st socket.Store) ([]ModuleTree, error) {
	if cfg.Vendor != "" || cfg.Unpacked != "" {
		return split(ctx, cfg, st)
	}
	changed := Config{Settings: cfg.Settings, ModRoot: cfg.ModRoot, Env: cfg.Env}
	if err := changed.readSettings(cfg.Src); err != nil {
		return nil, err
	}
	at, err := workspace.Locate(cfg.Src, changed.ModRoot, changed.Env)
	if err != nil {
		return nil, err
	}
	list, err := split(ctx, &SplitConfig{Vendor: at.Vendor(), StoreDir: cfg.StoreDir}, st)
	for i := range list {
		list[i].Root = path.Join(at.Rel(at.Vendor()), list[i].Root)
	}
	return list, err
}

func split(ctx context.Context, cfg *SplitConfig, st socket.Store) ([]ModuleTree, error) {
	out := []ModuleTree{}
	dir, read := cfg.Vendor, modules.ReadVendor
	if cfg.Unpacked != "" {
		dir, read = cfg.Unpacked, modules.ReadUnpacked
	} else if !workspace.Exists(filepath.Join(cfg.Vendor, "modules.txt")) {
		return out, nil
	}
	list, err := read(dir)
	if err != nil {
		return nil, err
	}
	var found []modules.Module
	var trees []nar.Tree
	for _, m := range list {
		if m.HasTree() {
			found = append(found, m)
			trees = append(trees, m.Tree)
		}
	}
	hashed, err := nar.HashAll(ctx, trees)
	if err != nil {
		return nil, err
	}
	if st != nil {
		batch := socket.Batch{Trees: hashed}
		for _, t := range hashed {
			batch.Use = append(batch.Use, t.StorePath(cfg.StoreDir))
		}
		if err := st.Add(ctx, batch); err != nil {
			return nil, err
		}
	}
	for i, m := range found {
		root, err := filepath.Rel(dir, m.Tree.Root)
		if err != nil {
			return nil, err
		}
		if m.Tree.Files != nil {
			return nil, fmt.Errorf("module %s: a tree of single files", m.Path)
		}
		out = append(out, ModuleTree{
			SourceTree: SourceTree{
				Store:   hashed[i].StorePath(cfg.StoreDir),
				Name:    m.Tree.Name,
				SHA256:  hashed[i].Hash.SRI(),
				Root:    root,
				Exclude: m.Tree.Exclude,
			},
			Dir: root,
		})
	}
	return out, nil
}
