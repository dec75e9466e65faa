package stage

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/drvgen"
	"dgd/internal/goflags"
	"dgd/internal/group"
)

// forStd returns the configuration that the standard library is planned with:
// of the flags of go build those that reach it in a program's build. `go build
// std` names its packages on the command line, which a program's build does
// not, and has no program.
func forStd(cfg *Config) (*Config, error) {
	std := *cfg
	std.Flags = stdFlags(cfg.Flags, cfg.Env["GOOS"])
	std.Env = maps.Clone(cfg.Env)
	if words := std.Env["GOFLAGS"]; words != "" {
		flags, err := goflags.Split(words)
		if err != nil {
			return nil, err
		}
		std.Env["GOFLAGS"] = goflags.Join(stdFlags(flags, cfg.Env["GOOS"]))
	}
	return &std, nil
}

// stdFlags is forStd for a list of flags. A wrong choice makes the program's
// standard library differ from the planned one, which costs a build of it and
// no more: see graph.Merge.
func stdFlags(flags []string, goos string) []string {
	var list []string
	for _, flag := range flags {
		name, value := goflags.Cut(flag)
		switch name {
		case "cover", "covermode", "coverpkg", "ldflags":
			continue // the main module's, the program's
		case "modfile", "overlay", "pgo":
			continue // files of the sources, which are not there
		case "gcflags", "asmflags":
			// Without a pattern before them they hold for the packages that are
			// named.
			if value = strings.TrimSpace(value); value == "" || value[0] == '-' {
				continue
			}
		case "buildmode":
			switch value {
			case "c-archive", "c-shared":
				if goos == "wasip1" {
					continue // compiled as a program is
				}
				flag = "-buildmode=pie" // compiled alike
			case "exe":
				flag = "-buildmode=archive"
			case "plugin":
				continue
			}
		}
		list = append(list, flag)
	}
	return list
}

// StdSpecsConfig says what to write specs of.
type StdSpecsConfig struct {
	StdPlan string `json:"stdPlan"` // file of the standard library's Plan
}

// WriteStdSpecs writes the specs of the parts of the standard library to files of
// the new directory out: see drvgen.StdSpecs.
func WriteStdSpecs(cfg *StdSpecsConfig, out string) error {
	var std Plan
	if err := readJSON(cfg.StdPlan, &std); err != nil {
		return err
	}
	_, specs, err := ofStd(&std, group.Std(&std.Graph))
	if err != nil {
		return err
	}
	if err := os.Mkdir(out, 0o777); err != nil {
		return err
	}
	for name, spec := range specs {
		if err := os.WriteFile(filepath.Join(out, name), []byte(spec), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// ofStd is drvgen.OfStd for a plan of the standard library, in the groups.
func ofStd(std *Plan, groups []group.Group) ([]drvgen.Derivation, map[string]string, error) {
	opt := options("", &std.Graph, std.Goroot, nil)
	opt.Groups = groups
	return drvgen.OfStd(&std.Graph, opt)
}

// BindStd makes the derivation of the first part of the standard library, which
// nearly every program uses, as Bind does: so it can be built while the program is
// planned. Where the plan of the standard library is empty, the derivation is, too.
func BindStd(cfg *BindConfig) (*Bound, error) {
	var std Plan
	if err := readJSON(cfg.StdPlan, &std); err != nil {
		return nil, err
	}
	groups := group.Std(&std.Graph)
	drvs, _, err := ofStd(&std, groups)
	if err != nil {
		return nil, err
	}
	if len(drvs) == 0 {
		spec, err := drvgen.Canonical(action.Spec{Units: []action.Unit{{Name: "std", Steps: []action.Step{{Mkdir: "${out}"}, {Mkdir: "${x}"}}}}})
		if err != nil {
			return nil, err
		}
		return &Bound{Derivations: []drvgen.Derivation{{Name: "std", Outputs: []string{"out", "x"}, Spec: string(spec), Vars: map[string]drvgen.Value{}}}}, nil
	}
	i := slices.IndexFunc(drvs, func(d drvgen.Derivation) bool { return d.Name == groups[0].Name })
	for _, v := range drvs[i].Vars {
		if v.Drv != nil {
			return nil, fmt.Errorf("the first part of the standard library depends on another: %s", drvs[*v.Drv].Name)
		}
	}
	return &Bound{Derivations: drvs[i : i+1]}, nil
}
