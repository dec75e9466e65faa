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

// A Fallback has the parameters of the derivation in which the go command itself builds
// programs that cannot be planned.
type Fallback struct {
	UserEnv bool `json:"userEnv"` // there is the input graph.UserEnv
}

// An unplanned error reports that dgd does not understand a script of the go command, or
// cannot carry it out, although the go command may be able to. Errors of the go command
// and mistakes in the arguments are not unplanned errors.
type unplanned struct{ reason error }

func (e *unplanned) Error() string { return e.reason.Error() }
func (e *unplanned) Unwrap() error { return e.reason }

// A Program is a program that the go command itself builds.
type Program struct {
	Name string `json:"name"` // import path
	Main string `json:"main"` // file name
	Info string `json:"info"` // module information, in the form of debug.BuildInfo.String
}

// fallBack empties the graph and sets Unplanned, so that ByGo is built instead. It reports
// false and changes nothing if err is not an unplanned error or if there is no ByGo.
func (p *Plan) fallBack(err error) bool {
	var reason *unplanned
	if p.ByGo == nil || !errors.As(err, &reason) {
		return false
	}
	p.Graph, p.Unplanned = graph.Graph{}, shorten(err.Error())
	return true
}

// fallBackForBuild is fallBack for programs. Text is the script, which names the programs. It
// returns the plan, or err.
func (p *Plan) fallBackForBuild(err error, text string) (*Plan, error) {
	if !p.fallBack(err) {
		return nil, err
	}
	programs, err := programsOf(text)
	if err != nil {
		fmt.Fprintf(os.Stderr, "dgd-plan: %v\n", err)
	}
	p.Programs = programs
	return p, nil
}

// fallBackForTests is fallBack for tests. It returns the plan, or err.
func (p *Plan) fallBackForTests(err error) (*Plan, error) {
	if !p.fallBack(err) {
		return nil, err
	}
	return p, nil
}

// setBuildByGo sets ByGo to a node that builds the programs with the go command, if
// cfg.Fallback is set. Commands are the arguments of its runs.
func (p *Plan) setBuildByGo(cfg *Config, at *workspace.Place, vars map[string]string, commands [][]string) error {
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

// setTestByGo is setBuildByGo for the tests of packages. They run without -trimpath, as in
// nixpkgs.
func (p *Plan) setTestByGo(cfg *TestConfig, at *workspace.Place, flags, packages []string) error {
	if cfg.Fallback == nil {
		return nil
	}
	keeping := cfg.Config
	keeping.Env = maps.Clone(cfg.Env)
	if words := keeping.Env["GOFLAGS"]; words != "" {
		keeping.Env["GOFLAGS"] = gocmd.WithPaths(words)
	}
	n := &graph.Node{Kind: graph.ByGo, Name: "go test", Inputs: []graph.Input{graph.CheckEnv}}
	// After -args, or a flag that go does not know, packages would be arguments.
	args := slices.Concat([]string{"test", "-vet=off"}, gocmd.Without(flags, "-trimpath"), packages, cfg.CheckFlags)
	if err := useGo(n, &keeping, at, [][]string{graph.EscapeAll(args)}); err != nil {
		return err
	}
	n.Steps = append(n.Steps, action.Step{Write: &action.Write{Path: "${out}", Text: graph.Passed(n.Name)}})
	p.ByGo = n
	return nil
}

// useGo adds the steps that run the go command with the modules of the plan.
func useGo(n *graph.Node, cfg *Config, at *workspace.Place, commands [][]string) error {
	n.Inputs = append(n.Inputs, graph.Toolchain)
	n.Src = &graph.Sources{Dir: at.Rel(at.ModRoot), Files: []string{}}
	if err := useModules(n, cfg, at); err != nil {
		return err
	}
	// Settings may have paths in the sources.
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

// shorten returns the first line of a message, and at most 200 bytes of it: a message may
// have a whole command of a compiler.
func shorten(s string) string {
	const limit = 200
	line, rest, more := strings.Cut(s, "\n")
	if strings.HasPrefix(line, "# ") && more { // this line has the package only
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

// goEnv returns the environment of the go command in a derivation, without that of
// UserEnv.
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

// useModules adds the inputs and steps that lay out the modules of the plan.
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
	// go.mod and go.sum files that overrides have changed.
	for _, file := range at.Changed {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		n.Steps = append(n.Steps, action.Step{Write: &action.Write{Path: "${SRC}/" + action.Escape(at.Rel(file)), Text: action.Escape(string(text))}})
	}
	return nil
}

// modinfo matches the line with the module information in the linker's import config.
var modinfo = regexp.MustCompile(`(?m)^modinfo (".*")$`)

// programsOf returns the programs that a script links and that have module information.
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

// unquoteInfo returns the module information from its line in the import config.
func unquoteInfo(quoted string) (string, error) {
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return "", fmt.Errorf("module information %s: %w", quoted, err)
	}
	const mark = 16 // bytes before and after the text, by which it is found in a program
	if len(text) < 2*mark {
		return "", fmt.Errorf("module information %s: too short", quoted)
	}
	return text[mark : len(text)-mark], nil
}

var majorVersion = regexp.MustCompile(`^v([2-9]|[1-9][0-9]+)$`)

// programName returns the file name that the go command gives a program.
func programName(importPath string) string {
	dir, name := path.Split(importPath)
	if majorVersion.MatchString(name) && dir != "" {
		return path.Base(dir)
	}
	return name
}
