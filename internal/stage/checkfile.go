package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/gocmd"
	"dgd/internal/planfile"
	"dgd/internal/skeleton"
	"dgd/internal/workspace"
)

// CheckConfig is the configuration of CheckFile.
type CheckConfig struct {
	Src     string `json:"src"`
	Plan    string `json:"plan"`    // the file
	Variant string `json:"variant"` // name of the plan in it: see planfile.Variants
	ModRoot string `json:"modRoot"` // as in Config
	Where   string `json:"where"`   // where to run `dgd plan`, for messages: "in DIRECTORY"
	// Go, Env and EnvFile are as in Config. Goroot is the GOROOT that evaluation assumes.
	Go      string            `json:"go"`
	Env     map[string]string `json:"env"`
	EnvFile string            `json:"envFile"`
	Goroot  string            `json:"goroot"`
	Tests   bool              `json:"tests"` // compare the plan of tests, too
}

// CheckFile returns an error if a plan in a file is stale: if the sources have changed
// since it was made, or if the toolchain or the C compiler is another one. It works in
// dir, which must not exist.
func CheckFile(ctx context.Context, cfg *CheckConfig, dir string) error {
	text, err := os.ReadFile(cfg.Plan)
	if err != nil {
		return err
	}
	lines, err := planfile.Lines(planfile.Name, text)
	if err != nil {
		return err
	}
	facts, err := planfile.Read(planfile.Name, lines, cfg.Variant)
	if err != nil {
		return err
	}
	stale, err := cfg.stale(ctx, facts)
	if err != nil {
		return err
	}
	if cfg.Tests {
		ofTests, err := planfile.ReadTests(planfile.Name, lines, cfg.Variant)
		if err != nil {
			return err
		}
		more, err := cfg.stale(ctx, ofTests)
		if err != nil {
			return err
		}
		stale = append(stale, more...)
	}
	if len(stale) == 0 {
		return cfg.checkTools(ctx, facts, string(text), dir)
	}
	more := ""
	if len(stale) > 10 {
		more = fmt.Sprintf("\n  and %d more", len(stale)-10)
		stale = stale[:10]
	}
	return fmt.Errorf("%s is stale: run `dgd plan` %s\n  %s%s", planfile.Name, cfg.Where, strings.Join(stale, "\n  "), more)
}

// stale returns the differences between the facts of a plan and the sources: see
// planfile.Facts.Compare.
func (cfg *CheckConfig) stale(ctx context.Context, facts *planfile.Facts) ([]string, error) {
	digest := skeleton.Digest
	if facts.Tests {
		digest = skeleton.DigestTests
	}
	digests, err := digest(ctx, cfg.Src, facts.Directories(), facts.Matches)
	if err != nil {
		return nil, err
	}
	at, err := workspace.Locate(cfg.Src, cfg.ModRoot, cfg.Env)
	if err != nil {
		return nil, err
	}
	if string(facts.Settings["modules"]) == `"lock"` && workspace.Exists(at.Vendor()) {
		return nil, fmt.Errorf("src has a vendor directory of its own, %s, and the plan takes the modules of a lock: remove the directory, or leave out modules and run `dgd plan` %s", at.Rel(at.Vendor()), cfg.Where)
	}
	var native []string
	for _, n := range facts.Native {
		digest, err := bind.Digest(cfg.Src, at.Rel(at.Vendor()), n.Dir)
		if err != nil {
			return nil, err
		}
		native = append(native, digest)
	}
	return facts.Compare(digests.Dirs, digests.Rest, native), nil
}

// checkTools returns an error if the toolchain or the C compiler is not the one that the
// plan was made with.
func (cfg *CheckConfig) checkTools(ctx context.Context, facts *planfile.Facts, text, dir string) error {
	g, err := gocmd.New(cfg.Go, cfg.EnvFile, cfg.Env, dir)
	if err != nil {
		return err
	}
	vars, err := g.Variables(ctx)
	if err != nil {
		return err
	}
	if vars["GOROOT"] != path.Clean(cfg.Goroot) {
		return fmt.Errorf("the Go toolchain has its GOROOT at %s, not at %s: let the argument `go` have an attribute passthru.goroot with its place below the store path", vars["GOROOT"], cfg.Goroot)
	}
	var version string
	if err := json.Unmarshal(facts.Settings["go"], &version); err != nil || "go"+version != vars["GOVERSION"] {
		return fmt.Errorf("%s was made with Go %s, and the toolchain of the build is %s, whatever its attribute version says: run `dgd plan` with that %s", planfile.Name, version, vars["GOVERSION"], cfg.Where)
	}
	for _, of := range []struct {
		setting string
		names   []string
	}{{"toolEnv", gocmd.ToolVariables}, {"cgoEnv", gocmd.CVariables}} {
		value, ok := facts.Settings[of.setting]
		if !ok && of.setting == "cgoEnv" {
			continue // no package has C
		}
		var planned []string
		if err := json.Unmarshal(value, &planned); err != nil {
			return fmt.Errorf("%s: the setting %s: %w: run `dgd plan` %s", planfile.Name, of.setting, err, cfg.Where)
		}
		if have := assigned(vars, of.names); !slices.Equal(planned, have) {
			return fmt.Errorf("%s was made where Go's variables are %s, and the build has %s: say the difference in `env`, or by --env of `dgd plan` %s",
				planfile.Name, strings.Join(planned, " "), strings.Join(have, " "), cfg.Where)
		}
	}
	for _, m := range extLinker.FindAllStringSubmatch(text, -1) {
		if cc, cxx := vars["CC"], vars["CXX"]; m[1] != cc && m[1] != cxx {
			return fmt.Errorf("%s was made for the C compiler %s, and the build has %s and %s: run `dgd plan --env CC=%s --env CXX=%s` %s", planfile.Name, m[1], cc, cxx, cc, cxx, cfg.Where)
		}
	}
	return nil
}

// extLinker matches the external linker in a step.
var extLinker = regexp.MustCompile(`"-extld=([^"]*)"`)
