package stage

import (
	"os"
	"path/filepath"
	"strings"

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
	std.Env = map[string]string{}
	for name, value := range cfg.Env {
		std.Env[name] = value
	}
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
	opt := options("", &std.Graph, std.Goroot, nil)
	opt.Groups = group.Std(&std.Graph)
	specs, err := drvgen.SpecsOfStd(&std.Graph, opt)
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
