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

// ToolVariables are the variables of `go env` that the compiler and other tools read
// from their environment.
var ToolVariables = []string{
	"GOOS", "GOARCH", "GOEXPERIMENT", "GOFIPS140", "GODEBUG",
	"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
}

// CVariables are the variables of `go env` that decide how C is compiled.
var CVariables = []string{"CC", "CXX", "PKG_CONFIG", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS"}

// ExtLink is the variable that only the linker reads.
const ExtLink = "GO_EXTLINK_ENABLED"

// A Command runs the go command of a toolchain in an environment of its own.
type Command struct {
	Path string   // absolute path of bin/go
	Env  []string // its whole environment, as NAME=VALUE; later values win
	Src  string   // directory of the sources; Failure removes it from messages
	// NoCache is the value of GOCACHEPROG for calls with -n, a program that calls
	// ServeNoCache, or "". Such calls also collect garbage less often, which takes
	// more memory and less time.
	NoCache string
}

// New returns the go command of the toolchain goroot. Its environment is made of
// envFile (NUL-separated; "" for none), then of vars, then of the variables that
// keep planning pure. Its own directories are below dir; the sources are in dir/src.
func New(goroot, envFile string, vars map[string]string, dir string) (*Command, error) {
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o777); err != nil {
		return nil, err
	}
	// Only this file switches telemetry off, which would go on after the command.
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
	// A later value wins, so these come last. GOCACHE must be empty: else -n prints
	// only what the cache does not have. Compiler wrappers need the NIX_ variables.
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

// Command returns the go command with these arguments, to be run in dir.
func (g *Command) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.Path, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(g.Env), "PWD="+dir)
	return cmd
}

// Variables returns the variables of `go env` that have an effect on a build.
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

// Output runs the go command in dir and returns its standard output. The error has
// its standard error.
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

// A Failure is the error of a go command that ran and failed, with its message.
type Failure struct{ Text string }

func (e *Failure) Error() string { return e.Text }

// Script runs the go command in dir and returns its standard error, where -n and -x
// print their scripts. If it fails, the error is a *Failure.
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
			return "", fmt.Errorf("go %s: %w", args[0], err)
		}
		// `go test` reports packages that fail on standard output.
		return "", g.Failure(dir, stderr.String()+stdout.String())
	}
	if g.NoCache != "" {
		return slowCache.ReplaceAllString(stderr.String(), ""), nil
	}
	return stderr.String(), nil
}

// Failure returns the error of a go command that failed in dir and printed text. The
// script is removed from the text, and so are the paths of dir and of the sources,
// which are temporary directories.
func (g *Command) Failure(dir, text string) error {
	return &Failure{strings.TrimSpace(strings.NewReplacer(dir+"/", "", g.Src+"/", "").Replace(messagesIn(text)))}
}

// messagesIn returns the messages in the output of a failed command, without the lines of
// its script, of which there can be thousands.
func messagesIn(text string) string {
	if !strings.Contains("\n"+text, "\nmkdir -p $WORK/") {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	rest := slices.Clone(lines) // the lines that are not known to be messages
	var message []string
	for range maxMessageLines {
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

// maxMessageLines is the number of lines in a script, at most, that are taken for messages.
const maxMessageLines = 40

// Without returns a copy of the list without the elements that equal s.
func Without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(e string) bool { return e == s })
}

// WithCache returns the command with a build cache of its own: GOCACHE gets the
// suffix -name.
func (g *Command) WithCache(name string) *Command {
	other := *g
	other.Env = append(slices.Clone(g.Env), "GOCACHE="+g.variable("GOCACHE")+"-"+name)
	return &other
}

// KeepingPaths returns the command with -trimpath removed from GOFLAGS, and with a
// build cache of its own.
func (g *Command) KeepingPaths() *Command {
	kept := g.WithCache("kept")
	kept.Env = append(kept.Env, "GOFLAGS="+WithPaths(g.variable("GOFLAGS")))
	return kept
}

// WithPaths returns a value of GOFLAGS without -trimpath.
func WithPaths(value string) string {
	words, err := goflags.Split(value)
	if err != nil {
		return value // the go command reports it
	}
	return goflags.Join(Without(words, "-trimpath"))
}

// variable returns the value of a variable in g.Env, or "".
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

// List runs `go list` with args, among them -json, in dir.
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

// ModCache returns the value of GOMODCACHE of a command that New has made with dir.
func ModCache(dir string) string { return filepath.Join(dir, "mod") }
