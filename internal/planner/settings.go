package planner

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// readSettings takes over the arguments that a package's own phases may have
// changed: the file holds NAME=VALUE, each ended by a NUL. The names ldflags,
// gcflags, tags, subPackages and excludedPackages are arguments of the build, words
// separated by white space; modRoot is the directory in which the phases would
// run the go command. The name sources is for the directory that the phases had
// the sources in: where a later value names it, that means src. All others are
// variables of the environment.
//
// What the environment then holds is left as the table of Go's flags says.
func (cfg *Config) readSettings(src string) error {
	if cfg.Settings == "" {
		return cfg.useTable()
	}
	text, err := os.ReadFile(cfg.Settings)
	if err != nil {
		return err
	}
	env := map[string]string{}
	for name, value := range cfg.Env {
		env[name] = value
	}
	cfg.Env = env
	var sources *regexp.Regexp
	for _, setting := range strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00") {
		if setting == "" {
			continue
		}
		name, value, ok := strings.Cut(setting, "=")
		if !ok {
			return fmt.Errorf("%s: %q is not NAME=VALUE", cfg.Settings, setting)
		}
		if sources != nil && name != "modRoot" {
			value = sources.ReplaceAllString(value, strings.ReplaceAll(src, "$", "$$")+"$1")
		}
		words := strings.Fields(value)
		switch name {
		case "sources":
			sources = regexp.MustCompile(regexp.QuoteMeta(value) + `([^\w.-]|$)`)
		case "modRoot":
			cfg.ModRoot = value
		case "ldflags":
			cfg.Flags = append(cfg.Flags, "-ldflags="+value)
		case "gcflags":
			cfg.Flags = append(cfg.Flags, "-gcflags="+value)
		case "tags":
			if len(words) > 0 {
				cfg.Flags = append(cfg.Flags, "-tags="+strings.Join(words, ","))
			}
		case "subPackages":
			cfg.Package = words
		case "excludedPackages":
			cfg.Excluded = words
		case "GOFLAGS": // buildGoModule's own flags are dgd's to give
			words = slices.DeleteFunc(words, func(w string) bool { return w == "-mod=vendor" || w == "-trimpath" })
			cfg.Env[name] = strings.Join(words, " ")
		default:
			cfg.Env[name] = value
		}
	}
	return cfg.useTable()
}
