package stage

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"dgd/internal/goflags"
)

// readSettings reads the arguments that a package's own phases may have changed from the
// file Settings, which has NAME=VALUE, each followed by a NUL. The names ldflags, gcflags,
// tags, subPackages and excludedPackages are arguments of the build, words separated by
// white space. modRoot is the directory in which the phases would run the go command.
// sources is the directory in which the phases had the sources; in later values it is
// replaced by src. All other names are environment variables.
//
// Then it applies the table of Go's flags: see useTable.
func (cfg *Config) readSettings(src string) error {
	if cfg.Settings == "" {
		return cfg.useTable()
	}
	settings, err := parseSettings(cfg.Settings)
	if err != nil {
		return err
	}
	env := map[string]string{}
	maps.Copy(env, cfg.Env)
	cfg.Env = env
	var sources *regexp.Regexp
	for _, s := range settings {
		name, value := s.name, s.value
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
		case "GOFLAGS":
			cfg.Env[name] = strings.Join(withoutOwn(words), " ")
		default:
			cfg.Env[name] = value
		}
	}
	return cfg.useTable()
}

// withoutOwn removes the flags of nixpkgs' buildGoModule from flags, as dgd sets them
// itself. The last of several -mod counts.
func withoutOwn(flags []string) []string {
	mod := ""
	for _, f := range flags {
		if strings.HasPrefix(f, "-mod=") {
			mod = f
		}
	}
	return slices.DeleteFunc(flags, func(f string) bool {
		return f == "-trimpath" || strings.HasPrefix(f, "-mod=") && (f == "-mod=vendor" || mod == "-mod=vendor")
	})
}

// A setting is an entry of the file Config.Settings.
type setting struct{ name, value string }

func parseSettings(file string) ([]setting, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []setting
	for _, s := range strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00") {
		if s == "" {
			continue
		}
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("%s: %q is not NAME=VALUE", file, s)
		}
		list = append(list, setting{name, value})
	}
	return list, nil
}

// SettingsConfig is the configuration of HideSettings.
type SettingsConfig struct {
	Settings string `json:"settings"` // as Config.Settings
}

// HideSettings writes the settings to out with stand-ins for the values that only links
// depend on.
func HideSettings(cfg *SettingsConfig, out string) error {
	list, _, err := hideSettings(cfg.Settings)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, s := range list {
		text.WriteString(s.name + "=" + s.value + "\x00")
	}
	return os.WriteFile(out, []byte(text.String()), 0o666)
}

// hideSettings returns the settings of a file with stand-ins, and the values of these. If
// ldflags may have a path in the sources it has no stand-ins, since the planner has to
// replace that path.
func hideSettings(file string) (list []setting, values []string, err error) {
	if list, err = parseSettings(file); err != nil {
		return nil, nil, err
	}
	sources := ""
	for i, s := range list {
		switch s.name {
		case "sources":
			sources = s.value
		case "ldflags":
			if sources == "" || !strings.Contains(s.value, sources) {
				list[i].value, values = goflags.HideValues(s.value)
			}
		}
	}
	return list, values, nil
}
