package stage

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/gocmd"
	"dgd/internal/skeleton"
	"dgd/internal/workspace"
)

// explain adds advice to a failure of the go command whose message does not say what to
// do. If the message would name a line that has moved in the skeleton, the result is an
// unplanned error: then the go command reports it for the real sources.
func explain(err error, cfg *Config) error {
	var failed *gocmd.Failure
	if !errors.As(err, &failed) {
		return err
	}
	// A skeleton has no code between a file's //go:embed lines.
	text := embedPosition.ReplaceAllString(failed.Text, "$1: pattern ")
	if a, ok := gocmd.Find(advice(cfg), text); ok {
		return fmt.Errorf("%s\n\ndgd: %s", a.Words(text), a.Do)
	}
	// A derivation with the whole source has no .git, so that go reports this here only.
	if text != failed.Text && !strings.Contains(text, ".git") {
		return &unplanned{errors.New(text)}
	}
	return errors.New(text)
}

var embedPosition = regexp.MustCompile(`(?m)(\.go):[0-9]+:[0-9]+: pattern `)

// explainAt reports a symlink that leads out of the sources if the message names one. It
// passes other errors to explain.
func explainAt(at *workspace.Place, err error, cfg *Config) error {
	var failed *gocmd.Failure
	if errors.As(err, &failed) {
		for _, name := range slices.Sorted(maps.Keys(at.Leaving)) {
			// Go names files relative to the directory that it runs in.
			named := regexp.QuoteMeta(strings.TrimPrefix(name, at.Rel(at.ModRoot)+"/"))
			if regexp.MustCompile(`(^|[ \t/"])` + named + `($|[ :\n"])`).MatchString(failed.Text) {
				link := *at.Leaving[name]
				if link.Target == skeleton.Outside {
					link.Target = "an absolute path"
				}
				return fmt.Errorf("%s\n\ndgd: %w", failed.Text, bind.LinkError(&link))
			}
		}
	}
	return explain(err, cfg)
}

// advice returns the table of advice for failures while a build is planned.
func advice(cfg *Config) []gocmd.Advice {
	const (
		staleHash = "vendorHash is stale: it is the hash of modules for another go.mod, whose fetch is still in the store.\nSet vendorHash = \"\"; and Nix will report the correct hash"
		noModule  = `cannot find module providing package|no required module provides package`
	)
	renew := "set vendorHash = \"\"; and Nix will report the correct hash"
	var raised workspace.LockedModule
	if cfg.Lock != nil {
		renew = "`dgd lock`"
		if list := cfg.Lock.Raised(); len(list) > 0 {
			raised = list[0]
		}
	}
	locked, named, all := cfg.Lock != nil, strings.Join(cfg.Package, ", "), cfg.Package == nil
	return []gocmd.Advice{
		{Says: `inconsistent vendoring`, When: cfg.Vendor != "", Short: true, Do: staleHash},
		{Says: `(?s)inconsistent vendoring.*go work vendor`, When: true, Short: true,
			Do: "src has a vendor directory that does not fit its workspace: run `go work vendor`"},
		{Says: `inconsistent vendoring`, When: true, Short: true,
			Do: "src has a vendor directory that does not fit its go.mod: run `go mod vendor`"},
		{Says: `disabled by GOPROXY=off|missing go.sum entry|updates to go.mod needed|` + noModule, When: raised.Path != "", Short: true,
			Do: fmt.Sprintf("moduleOverrides gives %s the version %s, which may need modules that dgd.lock does not have: choose another version, or run `go get %[1]s@%[2]s` and `dgd lock`", raised.Path, raised.Version)},
		{Says: `disabled by GOPROXY=off`, When: locked, Short: true, Do: "dgd.lock lacks a module that the build needs: run `dgd lock`"},
		{Says: `disabled by GOPROXY=off`, When: cfg.Downloads != "", Short: true, Do: staleHash},
		{Says: `missing go.sum entry`, When: true, Short: true, Do: "go.sum does not fit go.mod: run `go mod tidy`, then " + renew},
		{Says: `cannot find module providing package`, When: cfg.Vendor != "",
			Do: "an import is in no module of go.mod, or vendorHash is stale, as no package imported it before: run `go mod tidy`, then " + renew},
		{Says: noModule, When: true, Do: "an import is in no module of go.mod: run `go mod tidy`, then " + renew},
		{Says: `not one of the workspace modules|no modules were found in the current workspace`, When: true,
			Do: "the go.work of src leaves the module out: add it there, or set env.GOWORK = \"off\" to build the module alone"},
		{Says: `replacement directory \S+ does not exist|replaced by \S+: reading .*no such file`, When: true,
			Do: "src must hold the replacement: let src be a directory above both, and modRoot the module's place in it"},
		{Says: `does not contain package`, When: all,
			Do: "a directory below the module is in another module, and cannot be built from here: name it in excludedPackages"},
		{Says: `malformed import path`, When: all, Do: "a directory with Go files has a name that no package can have: name it in excludedPackages"},
		{Says: `directory not found|no Go files in`, When: !all,
			Do: "subPackage names a directory with a program, relative to the module's root, or the import path of a program; it is " + named},
		{Says: `no main packages to build`, When: true,
			Do: fmt.Sprintf("subPackage %s is not a program: name a package with `package main`", named)},
		{Says: `requires go >= [0-9.]+`, When: true,
			Do: "go.mod requires a newer Go than the argument `go` gives: pass another toolchain, as in go = pkgs.go_latest;"},
	}
}
