package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/bind"
	"dgd/internal/goflags"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

// useTable removes the variables and flags from Env that the go command is not given: see
// goflags. If only the go command itself can carry out a flag, it sets cfg.whole. Refused
// flags are errors.
func (cfg *Config) useTable() error {
	table, err := goflags.Load()
	if err != nil {
		return err
	}
	if cfg.Libraries {
		// As in nixpkgs: -ldflags on the command line override those in GOFLAGS, and
		// go install ignores -o there.
		table.Build = withoutRefused(table.Build)
	}
	env := table.Variables(cfg.Env)
	flags, err := table.Flags(env["GOFLAGS"])
	var whole *goflags.WholeError
	if err != nil && !errors.As(err, &whole) {
		return err
	}
	if env["GOFLAGS"] = goflags.Join(flags); len(flags) == 0 {
		delete(env, "GOFLAGS")
	}
	cfg.Env = env
	cfg.whole = err
	return nil
}

// withoutRefused returns the entries that are not refused: the go command itself reports
// wrong flags.
func withoutRefused(entries map[string]goflags.Entry) map[string]goflags.Entry {
	kept := maps.Clone(entries)
	maps.DeleteFunc(kept, func(_ string, e goflags.Entry) bool { return e.Class == goflags.Refused })
	return kept
}

// overlaid returns the file of an overlay that GOFLAGS names, and the files that it
// replaces others by, relative to src.
func overlaid(src, modRoot string, env map[string]string) []string {
	name := workspace.NamedFiles(env)["overlay"]
	if name == "" || path.IsAbs(name) {
		return nil
	}
	files := []string{path.Join(modRoot, name)}
	text, err := os.ReadFile(filepath.Join(src, files[0]))
	if err != nil {
		return nil // the go command reports it
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &overlay); err != nil {
		return files // the go command reports it
	}
	for _, file := range overlay.Replace {
		if file = path.Join(modRoot, file); filepath.IsLocal(file) {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files
}

// linksInSources reports whether linker flags among flags name files of the sources src,
// by absolute paths or by paths relative to dir, where the go command runs. Then the linker
// has to run there.
func linksInSources(flags []string, src, dir string) bool {
	for _, flag := range flags {
		name, value := goflags.Cut(flag)
		if name != "ldflags" {
			continue
		}
		words, err := goflags.Split(value)
		if err != nil {
			continue // the go command reports it
		}
		for i, word := range words {
			if i > 0 && words[i-1] == "-X" || strings.HasPrefix(word, "-X=") {
				continue // the value of a variable
			}
			_, ext, ok := strings.Cut(word, "-extldflags=")
			if !ok && i > 0 && words[i-1] == "-extldflags" {
				ext = word
			}
			more, err := goflags.Split(ext)
			if err != nil {
				more = []string{ext}
			}
			if slices.ContainsFunc(append(more, word), func(word string) bool { return namesFile(word, src, dir) }) {
				return true
			}
		}
	}
	return false
}

// namesFile reports whether a part of a flag is the path of an existing file in src,
// absolute or relative to dir.
func namesFile(flag, src, dir string) bool {
	for _, part := range strings.FieldsFunc(flag, func(r rune) bool { return strings.ContainsRune("=,:@ ", r) }) {
		for _, prefix := range []string{"", "-L", "-T", "-B", "-I", "-F", "-R"} {
			file, ok := strings.CutPrefix(part, prefix)
			if !ok || file == "" {
				continue
			}
			if !path.IsAbs(file) {
				file = filepath.Join(dir, file)
			}
			if bind.InDir(file, src) && workspace.Exists(file) {
				return true
			}
		}
	}
	return false
}

// snapshotDir returns the directory of the cryptographic packages that GOFIPS140 selects,
// which the go command has unpacked to the module cache, or "".
func snapshotDir(cache string) (string, error) {
	found, err := filepath.Glob(filepath.Join(cache, "golang.org", "fips140@*"))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// writeSnapshot adds steps to the packages that are compiled from a snapshot, which write
// their files: the toolchain has these in an archive only. They are the same for all
// programs.
func writeSnapshot(g *graph.Graph, dir string) error {
	for _, n := range g.Nodes {
		var steps []action.Step
		made := map[string]bool{}
		for _, file := range n.Snapshot {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				return err
			}
			to := "${OBJ}/" + graph.SnapshotDir + "/" + action.Escape(file)
			if d := path.Dir(to); !made[d] {
				made[d] = true
				steps = append(steps, action.Step{Mkdir: d})
			}
			steps = append(steps, action.Step{Write: &action.Write{Path: to, Text: action.Escape(string(text))}})
		}
		n.Steps = slices.Concat(steps, n.Steps)
	}
	return nil
}

// checkBuildIDs returns an unplanned error if a program has a build ID. The go command
// computes it from the build IDs of all packages, which dgd's packages do not have.
func checkBuildIDs(g *graph.Graph) error {
	for _, n := range g.Nodes {
		if n.Kind != graph.Link {
			continue
		}
		has := slices.ContainsFunc(n.Steps, func(s action.Step) bool {
			return s.Run != nil && slices.ContainsFunc(s.Run.Args, func(arg string) bool { return strings.HasPrefix(arg, "-buildid=") })
		})
		if !has {
			return &unplanned{fmt.Errorf("%s gets a build ID, which only the go command can compute: ldflags has no -buildid= for this program", n.Name)}
		}
	}
	return nil
}
