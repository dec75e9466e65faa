package gocmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/buildscript"
	"dgd/internal/goflags"
)

// ToolVariables are those of cmd/go's variables that its tools take from the
// environment they inherit.
var ToolVariables = []string{
	"GOOS", "GOARCH", "GOEXPERIMENT", "GOFIPS140", "GODEBUG",
	"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
}

// CVariables are those of cmd/go's variables that say how C is compiled.
var CVariables = []string{"CC", "CXX", "PKG_CONFIG", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS"}

// ExtLink is the variable that the linker alone takes.
const ExtLink = "GO_EXTLINK_ENABLED"

// A Command runs the toolchain in surroundings of its own.
type Command struct {
	Path string
	Env  []string
	Src  string // the sources, which messages do not name
	// NoCache is a program with arguments, GOCACHEPROG, that is the build cache of
	// calls with -n: see ServeNoCache. Where it is empty, a directory is. With it such
	// a call also takes more memory and less time.
	NoCache string
}

// New returns the go command of the toolchain goroot, with the given variables
// and those of envFile, if there is one, below what keeps planning pure. Its
// directories are below dir, and the sources are in dir/src.
func New(goroot, envFile string, vars map[string]string, dir string) (*Command, error) {
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o777); err != nil {
		return nil, err
	}
	// Telemetry is switched off by a file only. It goes on after the command.
	telemetry := filepath.Join(dir, "home", ".config", "go", "telemetry")
	if err := os.MkdirAll(telemetry, 0o777); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off"), 0o666); err != nil {
		return nil, err
	}
	g := &Command{Path: filepath.Join(goroot, "bin", "go"), Src: filepath.Join(dir, "src")}
	if envFile != "" {
		text, err := os.ReadFile(envFile)
		if err != nil {
			return nil, err
		}
		g.Env = strings.FieldsFunc(string(text), func(r rune) bool { return r == 0 })
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		g.Env = append(g.Env, name+"="+vars[name])
	}
	// A later value wins: what keeps planning pure stands at the end. With a
	// cache that is not empty, -n would print only what is missing. Compiler
	// wrappers ask for what Nix gives to a build.
	tmp := filepath.Join(dir, "tmp")
	g.Env = append(g.Env,
		"HOME="+filepath.Join(dir, "home"),
		"TMPDIR="+tmp, "TMP="+tmp, "TEMP="+tmp, "TEMPDIR="+tmp,
		"NIX_BUILD_TOP="+dir, "NIX_BUILD_CORES=1",
		"GOCACHE="+filepath.Join(dir, "cache"),
		"GOPATH="+filepath.Join(dir, "gopath"),
		"GOMODCACHE="+ModCache(dir),
		"GOENV=off", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on",
	)
	return g, nil
}

// Command returns the go command with these arguments, not yet started.
func (g *Command) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.Path, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(g.Env), "PWD="+dir)
	return cmd
}

// Variables returns what `go env` says of the variables that shape a build.
func (g *Command) Variables(ctx context.Context) (map[string]string, error) {
	args := slices.Concat([]string{"env", "-json", "GOROOT", "GOVERSION", "GOHOSTOS", "GOHOSTARCH", ExtLink, "FC"}, CVariables, ToolVariables)
	out, err := g.Output(ctx, "/", args...)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	if err := json.Unmarshal(out, &vars); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return vars, nil
}

// Output runs go and returns what it prints on standard output.
func (g *Command) Output(ctx context.Context, dir string, args ...string) ([]byte, error) {
	out, err := g.Command(ctx, dir, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go %s: %s", args[0], bytes.TrimSpace(exit.Stderr))
		}
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}

// A Failure is a failure of the go command, in its own words.
type Failure struct{ Text string }

func (e *Failure) Error() string { return e.Text }

// Script runs go and returns what it prints on standard error: -n and -x print
// their scripts there.
func (g *Command) Script(ctx context.Context, dir string, args []string) (string, error) {
	cmd := g.Command(ctx, dir, args...)
	if g.NoCache != "" && slices.Contains(args, "-n") {
		cmd.Env = append(cmd.Env, "GOCACHEPROG="+g.NoCache, "GOGC=400")
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return "", fmt.Errorf("go build: %w", err)
		}
		// What go test says of packages that fail is there.
		return "", g.Failure(dir, stderr.String()+stdout.String())
	}
	if g.NoCache != "" {
		return slowCache.ReplaceAllString(stderr.String(), ""), nil
	}
	return stderr.String(), nil
}

// Failure returns the error of a go command that failed in dir and printed text. It
// leaves out the script, and where the directory and the sources are in this build.
func (g *Command) Failure(dir, text string) error {
	return &Failure{strings.TrimSpace(strings.NewReplacer(dir+"/", "", g.Src+"/", "").Replace(said(text)))}
}

// said returns a failed command's output without the part of its script that it
// printed, so that the message is not lost among thousands of lines.
func said(text string) string {
	if !strings.Contains("\n"+text, "\nmkdir -p $WORK/") {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	rest := slices.Clone(lines) // without what is a message
	var message []string
	for range maxSaid {
		script, err := buildscript.Parse(strings.Join(rest, ""), buildscript.Options{})
		if err == nil {
			for _, m := range script.Messages {
				message = append(message, strings.SplitAfter(m+"\n", "\n")...)
			}
		}
		var unknown *buildscript.Error
		if !errors.As(err, &unknown) {
			break
		}
		i := unknown.Line - 1
		message = append(message, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return !slices.Contains(message, line) })
	if len(lines) == 0 {
		return text
	}
	return strings.Join(lines, "")
}

// maxSaid is how many lines of a message are looked for in a script.
const maxSaid = 40

// Without returns the list without a string.
func Without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(e string) bool { return e == s })
}

// WithCache returns the command with another build cache, which is named after its
// own one.
func (g *Command) WithCache(name string) *Command {
	other := *g
	other.Env = append(slices.Clone(g.Env), "GOCACHE="+g.variable("GOCACHE")+"-"+name)
	return &other
}

// KeepingPaths returns the command without the -trimpath that GOFLAGS may have.
func (g *Command) KeepingPaths() *Command {
	kept := g.WithCache("kept")
	kept.Env = append(kept.Env, "GOFLAGS="+WithPaths(g.variable("GOFLAGS")))
	return kept
}

// WithPaths returns a value of $GOFLAGS without -trimpath.
func WithPaths(value string) string {
	words, err := goflags.Split(value)
	if err != nil {
		return value // as go says
	}
	return goflags.Join(Without(words, "-trimpath"))
}

// variable returns the value of an environment variable.
func (g *Command) variable(name string) string {
	for _, v := range slices.Backward(g.Env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// A Listed is a package as `go list -json` prints it.
type Listed struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Error        *struct{ Err string }
	Match        []string
}

// List runs `go list`.
func (g *Command) List(ctx context.Context, dir string, args []string) ([]Listed, error) {
	cmd := g.WithCache("list").Command(ctx, dir, append([]string{"list"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, &Failure{strings.TrimSpace(strings.ReplaceAll(stderr.String(), dir+"/", ""))}
	}
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return Decode[Listed]("go list", out)
}

// ModCache returns GOMODCACHE of a command whose directories are below dir.
func ModCache(dir string) string { return filepath.Join(dir, "mod") }
