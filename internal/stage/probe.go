package stage

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/bind"
	"dgd/internal/buildscript"
	"dgd/internal/gocmd"
)

// cgoFlags returns the words of all #cgo lines in the directory, under any condition.
// Words are split at all spaces, and quotes are removed: a word with a space is printed in
// quotes, and never shortened.
func cgoFlags(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(globEscape(dir), "*.go"))
	if err != nil {
		return nil, err
	}
	var words []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			continue // not in the build: go has parsed the build's files
		}
		for _, doc := range bind.BeforeImportC(parsed) {
			for line := range strings.Lines(doc.Text()) {
				if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "#cgo"); ok {
					_, flags, _ := strings.Cut(unquote.Replace(rest), ":")
					for _, w := range strings.Fields(flags) {
						words = append(words, strings.ReplaceAll(w, "${SRCDIR}", dir))
					}
				}
			}
		}
	}
	return words, nil
}

var unquote = strings.NewReplacer(`"`, "", "'", "")

func globEscape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// probeFiles are the files of a cgo package for which cmd/go runs the C and the C++
// compiler.
var probeFiles = map[string]string{
	"go.mod":    "module probe\n\ngo 1.21\n",
	"probe.go":  "package probe\n\n// int c(void);\nimport \"C\"\n\nfunc F() int { return int(C.c()) }\n",
	"c.c":       "int c(void) { return 1; }\n",
	"cxx.cc":    "extern \"C\" int cxx(void) { return 1; }\n",
	"unused.go": "package probe\n",
}

// Probe has cmd/go compile the C of a tiny cgo package, and returns the flags that it
// passes to each C compiler beside those that it prints with -n. They follow from its
// probes of the compiler. `go list -compiled` does that without compiling the Go packages
// that cgo depends on, as `go build` would. If the C++ compiler fails, it tries the C
// compiler alone. A failure is part of the result and not an error.
func Probe(ctx context.Context, cfg *Config, dir string) (*action.Probed, error) {
	g, err := gocmd.New(cfg.Go, cfg.EnvFile, cfg.Env, dir)
	if err != nil {
		return nil, err
	}
	src := filepath.Join(dir, "src")
	if err := os.MkdirAll(src, 0o777); err != nil {
		return nil, err
	}
	for name, text := range probeFiles {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o666); err != nil {
			return nil, err
		}
	}
	vars, err := g.Variables(ctx)
	if err != nil {
		return nil, err
	}
	probed := &action.Probed{Compilers: map[string]action.CompilerFlags{}}
	text, err := probeScript(ctx, g, src)
	if err != nil {
		probed.Failed = err.Error()
		if err := os.Remove(filepath.Join(src, "cxx.cc")); err != nil {
			return nil, err
		}
		text, err = probeScript(ctx, g.WithCache("c"), src)
	}
	if err == nil {
		probed.Compilers, err = compilerFlags(text, programs(vars))
	}
	if err != nil {
		probed.Failed = err.Error()
	}
	if probed.Failed != "" {
		fmt.Fprintln(os.Stderr, "dgd-plan: packages with C, or some of them, cannot be planned:", probed.Failed)
	}
	return probed, nil
}

// probeScript returns the script of compiling the tiny cgo package in src.
func probeScript(ctx context.Context, g *gocmd.Command, src string) (string, error) {
	args := []string{"list", "-x", "-compiled", "-trimpath", "-buildvcs=false", "."}
	text, err := g.Script(ctx, src, args)
	if err != nil {
		// The message is somewhere in the script, which here has lines that -n does
		// not print. Without -x, go prints the message only.
		if _, alone := g.Script(ctx, src, slices.Delete(args, 1, 2)); alone != nil {
			err = alone
		}
		return "", fmt.Errorf("building a tiny cgo package:\n%w", err)
	}
	return text, nil
}

// compilerFlags returns the flags in the script of a real run, by compiler.
func compilerFlags(text string, programs []string) (map[string]action.CompilerFlags, error) {
	flags := map[string]action.CompilerFlags{}
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "-fmessage-length=0") || !strings.Contains(line, " -c ") {
			continue
		}
		script, err := buildscript.Parse(line, buildscript.Options{Programs: programs})
		if err != nil {
			return nil, err
		}
		run, ok := script.Steps[0].Action.(buildscript.Run)
		if !ok || run.Tool != "" {
			continue
		}
		file := run.Args[len(run.Args)-1]
		if file != "c.c" && file != "cxx.cc" {
			continue
		}
		command, f, err := readFlags(run.Args)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(line))
		}
		flags[command] = f
	}
	if len(flags) == 0 {
		return nil, errors.New("go list -compiled -x of a tiny cgo package ran no C compiler")
	}
	return flags, nil
}

// readFlags returns the compiler of a call, and the flags that cmd/go has probed, which are
// between its fixed ones.
func readFlags(args []string) (command string, f action.CompilerFlags, err error) {
	include := slices.Index(args, "-I")
	message := slices.Index(args, "-fmessage-length=0")
	out := slices.Index(args, "-o")
	if include < 1 || message < include+2 || out < message {
		return "", f, errors.New("not a compiler call as cmd/go makes it")
	}
	for _, w := range args[include+2 : message] {
		if w != "-fPIC" && w != "-pthread" && w != "-mthreads" && !strings.HasPrefix(w, "-m") {
			f.Before = append(f.Before, w)
		}
	}
	for _, w := range args[message+1 : out] {
		if w == "-I" {
			break // the package's own flags
		}
		name, value, ok := strings.Cut(w, "=")
		switch {
		case ok && (name == "-ffile-prefix-map" || name == "-fdebug-prefix-map") && strings.HasSuffix(value, "=/tmp/go-build"):
			f.PrefixMap = name
		case w == "-fno-common":
		default:
			f.After = append(f.After, w)
		}
	}
	return strings.Join(args[:include], " "), f, nil
}
