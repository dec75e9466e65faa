package planner

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
)

// toolVariables are those of cmd/go's variables that its tools take from the
// environment they inherit.
var toolVariables = []string{
	"GOOS", "GOARCH", "GOEXPERIMENT", "GOFIPS140", "GODEBUG",
	"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
}

// extLink is the variable that the linker alone takes.
const extLink = "GO_EXTLINK_ENABLED"

// A goCommand runs the toolchain in surroundings of its own.
type goCommand struct {
	path string
	env  []string
	src  string // the sources, which messages do not name
}

func newGo(cfg *Config, dir string) (*goCommand, error) {
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
	g := &goCommand{path: filepath.Join(cfg.Go, "bin", "go"), src: filepath.Join(dir, "src")}
	if cfg.EnvFile != "" {
		text, err := os.ReadFile(cfg.EnvFile)
		if err != nil {
			return nil, err
		}
		g.env = strings.FieldsFunc(string(text), func(r rune) bool { return r == 0 })
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Env)) {
		g.env = append(g.env, name+"="+cfg.Env[name])
	}
	// A later value wins: what keeps planning pure stands at the end. With a
	// cache that is not empty, -n would print only what is missing. Compiler
	// wrappers ask for what Nix gives to a build.
	tmp := filepath.Join(dir, "tmp")
	g.env = append(g.env,
		"HOME="+filepath.Join(dir, "home"),
		"TMPDIR="+tmp, "TMP="+tmp, "TEMP="+tmp, "TEMPDIR="+tmp,
		"NIX_BUILD_TOP="+dir, "NIX_BUILD_CORES=1",
		"GOCACHE="+filepath.Join(dir, "cache"),
		"GOPATH="+filepath.Join(dir, "gopath"),
		"GOMODCACHE="+modCache(dir),
		"GOENV=off", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GO111MODULE=on",
	)
	return g, nil
}

func (g *goCommand) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(g.env), "PWD="+dir)
	return cmd
}

// variables returns what `go env` says of the variables that shape a build.
func (g *goCommand) variables(ctx context.Context) (map[string]string, error) {
	args := append([]string{"env", "-json", "GOROOT", "GOVERSION", "GOHOSTOS", "GOHOSTARCH", extLink, "CC", "CXX", "FC", "PKG_CONFIG"}, toolVariables...)
	out, err := g.output(ctx, "/", args...)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	if err := json.Unmarshal(out, &vars); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return vars, nil
}

// output runs go and returns what it prints on standard output.
func (g *goCommand) output(ctx context.Context, dir string, args ...string) ([]byte, error) {
	out, err := g.command(ctx, dir, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go %s: %s", args[0], bytes.TrimSpace(exit.Stderr))
		}
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}

// A goError is a failure of the go command, in its own words.
type goError struct{ text string }

func (e *goError) Error() string { return e.text }

// script runs go and returns what it prints on standard error: -n and -x print
// their scripts there.
func (g *goCommand) script(ctx context.Context, dir string, args []string) (string, error) {
	cmd := g.command(ctx, dir, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return "", fmt.Errorf("go build: %w", err)
		}
		return "", g.failure(dir, stderr.String())
	}
	return stderr.String(), nil
}

// failure is what go said in the directory, without the places of this build.
func (g *goCommand) failure(dir, text string) error {
	return &goError{strings.TrimSpace(strings.NewReplacer(dir+"/", "", g.src+"/", "").Replace(said(text)))}
}

// said leaves out of what go has printed the script, as far as -n came with it,
// so that the message is not lost among thousands of lines.
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
