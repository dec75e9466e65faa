package stage

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/action"
	"dgd/internal/gocmd"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

// Fallback is how the go command builds by itself what cannot be planned package
// by package.
type Fallback struct {
	UserEnv bool `json:"userEnv"` // whether there is the input graph.UserEnv
}

// An unplanned error says that dgd does not understand what go printed of a build, or
// cannot carry it out, which go itself may well do. An error that go itself reports is
// not unplanned, nor one of what dgd is given.
type unplanned struct{ reason error }

func (e *unplanned) Error() string { return e.reason.Error() }
func (e *unplanned) Unwrap() error { return e.reason }

// A Program is one that the go command builds by itself.
type Program struct {
	Name string `json:"name"` // import path
	Main string `json:"main"` // file name
	Info string `json:"info"` // what it says of its modules, as in debug.BuildInfo's text
}

// leave leaves what the plan is for to the go command, because of err, and reports
// whether it may: err is an unplanned error, and there is such a node.
func (p *Plan) leave(err error) bool {
	var reason *unplanned
	if p.ByGo == nil || !errors.As(err, &reason) {
		return false
	}
	p.Graph, p.Unplanned = graph.Graph{}, shorten(err.Error())
	return true
}

// leaveBuild is leave for programs, of which go has printed the text. It returns
// the plan, or the error.
func (p *Plan) leaveBuild(err error, text string) (*Plan, error) {
	if !p.leave(err) {
		return nil, err
	}
	programs, err := programsOf(text)
	if err != nil {
		fmt.Fprintf(os.Stderr, "dgd-plan: %v\n", err)
	}
	p.Programs = programs
	return p, nil
}

// leaveTests is leave for tests. It returns the plan, or the error.
func (p *Plan) leaveTests(err error) (*Plan, error) {
	if !p.leave(err) {
		return nil, err
	}
	return p, nil
}

// mayBuild lets the plan have the node that builds its programs by the go command,
// where the configuration says so. Commands are the arguments.
func (p *Plan) mayBuild(cfg *Config, at *workspace.Place, vars map[string]string, commands [][]string) error {
	if cfg.Fallback == nil {
		return nil
	}
	n := &graph.Node{Kind: graph.ByGo, Name: "go build"}
	if cfg.Fallback.UserEnv {
		n.Inputs = append(n.Inputs, graph.UserEnv)
	}
	installed := "${OBJ}/gopath/bin"
	if vars["GOOS"] != vars["GOHOSTOS"] || vars["GOARCH"] != vars["GOHOSTARCH"] {
		installed += "/" + vars["GOOS"] + "_" + vars["GOARCH"] // where go install puts programs for another platform
	}
	n.Steps = append(n.Steps, action.Step{Mkdir: "${out}/bin"})
	if cfg.Libraries {
		n.Steps = append(n.Steps, action.Step{Mkdir: installed})
	}
	if err := useGo(n, cfg, at, commands); err != nil {
		return err
	}
	if cfg.Libraries {
		n.Steps = append(n.Steps, action.Step{Copy: &action.Copy{From: installed, To: "${out}/bin", Tree: true}})
	}
	p.ByGo = n
	return nil
}

// mayTest is mayBuild for the tests of packages. They are run as nixpkgs runs them,
// without -trimpath.
func (p *Plan) mayTest(cfg *TestConfig, at *workspace.Place, flags, packages []string) error {
	if cfg.Fallback == nil {
		return nil
	}
	keeping := cfg.Config
	keeping.Env = maps.Clone(cfg.Env)
	if words := keeping.Env["GOFLAGS"]; words != "" {
		keeping.Env["GOFLAGS"] = gocmd.WithPaths(words)
	}
	n := &graph.Node{Kind: graph.ByGo, Name: "go test", Inputs: []graph.Input{graph.CheckEnv}}
	// Behind -args, or a flag that go does not know, no package would be one.
	args := slices.Concat([]string{"test", "-vet=off"}, gocmd.Without(flags, "-trimpath"), packages, cfg.CheckFlags)
	if err := useGo(n, &keeping, at, [][]string{escapeAll(args)}); err != nil {
		return err
	}
	n.Steps = append(n.Steps, action.Step{Write: &action.Write{Path: "${out}", Text: graph.Passed(n.Name)}})
	p.ByGo = n
	return nil
}

// useGo lets n run the go command on the modules that the plan is made with.
func useGo(n *graph.Node, cfg *Config, at *workspace.Place, commands [][]string) error {
	n.Inputs = append(n.Inputs, graph.Toolchain)
	n.Src = &graph.Sources{Dir: at.Rel(at.ModRoot), Files: []string{}}
	if err := useModules(n, cfg, at); err != nil {
		return err
	}
	// Settings may name places in the sources.
	placed := func(words []string) []string {
		for i, w := range words {
			words[i] = strings.ReplaceAll(w, action.Escape(at.Src)+"/", "${SRC}/")
		}
		return words
	}
	for _, args := range commands {
		n.Steps = append(n.Steps, action.Step{Run: &action.Run{
			Dir:  path.Join("${SRC}", action.Escape(n.Src.Dir)),
			Env:  placed(goEnv(cfg)),
			Args: slices.Concat([]string{"${GO}/bin/go", args[0], "-p=${CORES}"}, placed(slices.Clone(args[1:]))),
		}})
	}
	return nil
}

// shorten makes one line of a message, which may show a whole compiler call.
func shorten(s string) string {
	const limit = 200
	line, rest, more := strings.Cut(s, "\n")
	if strings.HasPrefix(line, "# ") && more { // go only says of which package
		line, _, more = strings.Cut(rest, "\n")
	}
	if len(line) > limit {
		line, more = strings.ToValidUTF8(line[:limit], ""), true
	}
	if more {
		line += "…"
	}
	return line
}

// goEnv is the environment of the go command in a derivation, without what
// UserEnv adds.
func goEnv(cfg *Config) []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(cfg.Env)) {
		env = append(env, name+"="+action.Escape(cfg.Env[name]))
	}
	return append(env,
		"HOME=/homeless-shelter",
		"GOCACHE=${OBJ}/cache", "GOPATH=${OBJ}/gopath", "GOMODCACHE=${OBJ}/mod", "GOBIN=",
		"GOENV=off", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on",
	)
}

// useModules lets a node have the modules that the plan was made with.
func useModules(n *graph.Node, cfg *Config, at *workspace.Place) error {
	use := func(in graph.Input, to string) {
		n.Inputs = append(n.Inputs, in)
		n.Steps = append(n.Steps, action.Step{Copy: &action.Copy{From: "${" + in.Token() + "}", To: to, Tree: true}})
	}
	switch {
	case cfg.Vendor != "":
		use(graph.Vendor, "${SRC}/"+action.Escape(at.Rel(at.Vendor())))
	case cfg.Downloads != "":
		use(graph.Unpacked, "${OBJ}/mod")
		use(graph.Downloads, "${OBJ}/mod/cache/download")
	case cfg.Lock != nil:
		use(graph.ModCache, "${OBJ}/mod")
	}
	// go.mod and the like, as overrides have changed them.
	for _, file := range at.Changed {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		n.Steps = append(n.Steps, action.Step{Write: &action.Write{Path: "${SRC}/" + action.Escape(at.Rel(file)), Text: action.Escape(string(text))}})
	}
	return nil
}

// modinfo is the line of the linker's import config with a program's module
// information.
var modinfo = regexp.MustCompile(`(?m)^modinfo (".*")$`)

// programsOf returns the programs that a script links, as far as the linker is
// told of their modules.
func programsOf(text string) ([]Program, error) {
	programs := []Program{}
	for _, m := range modinfo.FindAllStringSubmatch(text, -1) {
		info, err := unquoteInfo(m[1])
		if err != nil {
			return nil, err
		}
		parsed, err := debug.ParseBuildInfo(info)
		if err != nil {
			return nil, err
		}
		programs = append(programs, Program{Name: parsed.Path, Main: programName(parsed.Path), Info: info})
	}
	return programs, nil
}

// unquoteInfo returns the text of a program's module information.
func unquoteInfo(quoted string) (string, error) {
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return "", fmt.Errorf("module information %s: %w", quoted, err)
	}
	const mark = 16 // bytes before and behind the text, by which it is found
	if len(text) < 2*mark {
		return "", fmt.Errorf("module information %s: too short", quoted)
	}
	return text[mark : len(text)-mark], nil
}

var majorVersion = regexp.MustCompile(`^v([2-9]|[1-9][0-9]+)$`)

// programName is the file name that the go command gives a program.
func programName(importPath string) string {
	dir, name := path.Split(importPath)
	if majorVersion.MatchString(name) && dir != "" {
		return path.Base(dir)
	}
	return name
}
