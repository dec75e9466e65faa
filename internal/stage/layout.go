package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/gocmd"
	"dgd/internal/graph"
	"dgd/internal/modules"
	"dgd/internal/skeleton"
	"dgd/internal/workspace"
)

// layOut lays out the sources and modules for a script that is made in dir, and sets the
// options that depend on them.
func layOut(ctx context.Context, g *gocmd.Command, cfg *Config, dir string, opt *graph.Options) (*workspace.Place, error) {
	at, members, err := prepare(cfg, opt.Src)
	if err != nil {
		return nil, err
	}
	opt.Vendor = at.Vendor()
	for _, m := range members {
		if m.Dir == opt.ModRoot {
			opt.Module = m.Mod.Module.Mod.Path
		}
	}
	switch {
	case cfg.Downloads != "":
		opt.ModCache = gocmd.ModCache(dir)
		err = workspace.LinkModules(cfg.Unpacked, cfg.Downloads, cfg.Overrides, opt.ModCache)
	case cfg.Lock != nil:
		opt.ModCache = gocmd.ModCache(dir)
		err = at.UseLock(cfg.Lock, members, opt.ModCache)
	}
	if err != nil {
		return nil, err
	}
	opt.LinkDir = linksInSources(cfg.Flags, opt.Src, opt.ModRoot)
	opt.InModRoot = func(flag string) bool {
		return !strings.Contains(flag, opt.Src) && namesFile(flag, opt.Src, opt.ModRoot)
	}
	places, err := at.ModulePlaces(opt.ModCache)
	if err != nil {
		return nil, err
	}
	var modules []bind.Module
	for _, dir := range places {
		modules = append(modules, bind.Module{Dir: dir})
	}
	relative := relativeEnv(g.Env)
	opt.LookAt = func(n *graph.Node) error {
		vendor := opt.Vendor
		if opt.ModCache != "" {
			vendor = opt.ModCache
		}
		bind.Weigh(n, opt.Src, vendor)
		if !n.Src.Native {
			return nil
		}
		// A relative path in the environment may lead to any file.
		n.Src.Whole = n.Src.Whole || relative && n.Cgo
		if !n.Src.Vendored {
			return nil
		}
		return bind.LookAt(n, opt.Src, vendor, modules)
	}
	if cfg.Probe != "" { // only flags of a C compiler have the roots of modules
		if opt.Modules, err = at.Others(ctx, g, cfg.Lock != nil, members); err != nil {
			cfg.whole = explainAt(&at, err, cfg) // go build may still succeed
		}
	}
	return &at, nil
}

// prepare unpacks the skeleton to src, removes symlinks out of the sources, links the
// vendor directory, and returns the workspace and its main modules. It returns an error if
// the arguments do not fit the sources.
func prepare(cfg *Config, src string) (at workspace.Place, members []workspace.Member, err error) {
	f, err := os.Open(cfg.Skeleton)
	if err != nil {
		return at, nil, err
	}
	defer f.Close()
	if err := skeleton.Unpack(f, src); err != nil {
		return at, nil, err
	}
	if at, err = workspace.Locate(src, cfg.ModRoot, cfg.Env); err != nil {
		return at, nil, err
	}
	if err := at.CloseLinks(); err != nil {
		return at, nil, err
	}
	members, needs, err := at.Members()
	if err != nil {
		return at, nil, err
	}
	if cfg.DeleteVendor {
		if err := os.RemoveAll(at.Vendor()); err != nil {
			return at, nil, err
		}
	}
	switch fetches := cfg.Lock != nil || cfg.Vendor != "" || cfg.Downloads != ""; {
	case fetches && workspace.Exists(at.Vendor()) && !at.Vendored():
		return at, nil, fmt.Errorf("src has a vendor directory of its own without modules.txt, which go does not build with: set deleteVendor = true, or run `go %s vendor` and leave out vendorHash and modules", at.Kind())
	case cfg.Lock != nil && workspace.Exists(at.Vendor()):
		return at, nil, errors.New("src has a vendor directory of its own: leave out modules, or set deleteVendor = true")
	case fetches && workspace.Exists(at.Vendor()):
		return at, nil, errors.New("src has a vendor directory of its own: leave out vendorHash or set it to null, or set deleteVendor = true")
	case cfg.Vendor != "":
		if err := os.Symlink(cfg.Vendor, at.Vendor()); err != nil {
			return at, nil, err
		}
		if err := at.CheckReplacedMods(cfg.Vendor, members); err != nil {
			return at, nil, err
		}
	case cfg.Downloads != "", cfg.Lock != nil:
	case needs && !workspace.Exists(at.Vendor()):
		return at, nil, errors.New("src needs other modules (go.mod has `require`), but vendorHash is missing: set vendorHash = \"\"; and Nix will report the correct hash")
	}
	if len(cfg.Overrides) > 0 && at.Vendored() {
		list, err := modules.ReadVendor(at.Vendor())
		if err != nil {
			return at, nil, err
		}
		if err := workspace.CheckOverrides(cfg.Overrides, list, cfg.Vendor == ""); err != nil {
			return at, nil, err
		}
	}
	return at, members, nil
}
