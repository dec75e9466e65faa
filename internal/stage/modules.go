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

// A ModuleTree is the tree of one module.
type ModuleTree struct {
	SourceTree
	Dir string `json:"dir"` // relative to the vendor directory or the module cache
}

// readModules returns the modules of a build: those in the file of SplitModules' result,
// or those of a lock if file is "".
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

// toBind returns the modules in the form of package bind.
func toBind(list []ModuleTree) []bind.Module {
	var modules []bind.Module
	for _, m := range list {
		modules = append(modules, bind.Module{Dir: m.Dir, Store: m.Store})
	}
	return modules
}

// SplitConfig is the configuration of SplitModules. The modules are in Vendor, in
// Unpacked, or in the vendor directory of the sources.
type SplitConfig struct {
	Vendor   string `json:"vendor"`   // a vendor directory, or ""
	Unpacked string `json:"unpacked"` // the result of modules.Unpack, or ""
	StoreDir string `json:"storeDir"`

	Src     string            `json:"src"`
	ModRoot string            `json:"modRoot"`
	Env     map[string]string `json:"env"` // of the go command
	// Settings is a file that changes ModRoot and Env, or "": see readSettings.
	Settings string `json:"settings"`
}

// SplitModules returns a tree for each module. If st is not nil, it adds them to the store.
// The roots are relative to Vendor or Unpacked, or to the sources.
func SplitModules(ctx context.Context, cfg *SplitConfig, st socket.Client) ([]ModuleTree, error) {
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

func split(ctx context.Context, cfg *SplitConfig, st socket.Client) ([]ModuleTree, error) {
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
