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

// forStd returns the configuration for the plan of the standard library: with the flags
// that have an effect on it in a program's build. In `go build std` its packages are named
// on the command line, so that more flags would have an effect.
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

// stdFlags returns the flags among flags that forStd keeps. With a wrong choice, packages
// of the program's standard library differ from the planned ones and are built for the
// program alone: see graph.Merge.
func stdFlags(flags []string, goos string) []string {
	var list []string
	for _, flag := range flags {
		name, value := goflags.Cut(flag)
		switch name {
		case "cover", "covermode", "coverpkg", "ldflags":
			continue // for the main module and its programs
		case "modfile", "overlay", "pgo":
			continue // they name files of the sources
		case "gcflags", "asmflags":
			// Without a pattern they are for the packages on the command line.
			if value = strings.TrimSpace(value); value == "" || value[0] == '-' {
				continue
			}
		case "buildmode":
			switch value {
			case "c-archive", "c-shared":
				if goos == "wasip1" {
					continue // its packages are compiled as for a program
				}
				flag = "-buildmode=pie" // packages are compiled in the same way
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

// StdSpecsConfig is the configuration of WriteStdSpecs.
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
	_, specs, err := stdDerivations(&std, group.Std(&std.Graph))
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

// stdDerivations is drvgen.GenerateStd for a plan of the standard library with these groups.
func stdDerivations(std *Plan, groups []group.Group) ([]drvgen.Derivation, map[string]string, error) {
	opt := options("", &std.Graph, std.Goroot, nil)
	opt.Groups = groups
	return drvgen.GenerateStd(&std.Graph, opt)
}

// BindStd makes the derivation of the first part of the standard library, which nearly
// every program uses. Bind makes the same one, so that it can be built while the program is
// planned. If the plan of the standard library is empty, the derivation builds nothing.
func BindStd(cfg *BindConfig) (*Bound, error) {
	var std Plan
	if err := readJSON(cfg.StdPlan, &std); err != nil {
		return nil, err
	}
	groups := group.Std(&std.Graph)
	drvs, _, err := stdDerivations(&std, groups)
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
