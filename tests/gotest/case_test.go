package gotest

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A testCase is a call of the go command: the sources, and the arguments for dgd and
// for the go command.
type testCase struct {
	Name        string            `json:"name"`
	Test        bool              `json:"test"`    // go test
	Library     bool              `json:"library"` // none of the packages is a program
	ModRoot     string            `json:"modRoot"`
	Env         map[string]string `json:"env"`
	SubPackages []string          `json:"subPackages"`
	Tags        []string          `json:"tags"`
	Ldflags     []string          `json:"ldflags"`
	Gcflags     []string          `json:"gcflags"`
	GOFLAGS     []string          `json:"GOFLAGS"`
	CheckFlags  []string          `json:"checkFlags"`
	// Words are the regular expressions that the script looks for in the output.
	Words []string `json:"-"`
}

// leftOut are the flags that a case leaves out: they concern output, the place of the
// result or parallelism, or dgd sets them itself.
var leftOut = map[string]bool{ // whether a value follows
	"a": false, "v": false, "x": false, "trimpath": false, "modcacherw": false, "work": false, "o": true, "p": true, "debug-actiongraph": true,
}

// notTaken are the flags with which a call is not a case, with the reason.
var notTaken = map[string]string{
	"n": "prints commands and runs none", "json": "prints JSON", "list": "lists tests", "c": "keeps a test's program",
	"i": "a flag that is gone", "compiler": "another compiler", "gccgoflags": "another compiler", "C": "another directory",
	"fuzz": "fuzzes", "exec": "runs a program in another way", "vet": "vet", "args": "arguments for a test's program",
	"mod": "says where modules are from", "buildvcs": "what version control says", "pkgdir": "a place for packages",
	"artifacts": "files that tests leave behind",
	"msan":      "needs clang", "asan": "a sanitizer of C", "toolexec": "runs a program around the compiler",
}

// valued are the flags whose value may be the next argument.
var valued = []string{
	"asmflags", "buildmode", "covermode", "coverpkg", "gcflags", "installsuffix", "ldflags", "modfile", "overlay", "pgo", "tags",
	"bench", "benchtime", "count", "cpu", "parallel", "run", "shuffle", "skip", "timeout", "fuzztime",
	"coverprofile", "outputdir", "cpuprofile", "memprofile", "mutexprofile", "blockprofile", "trace",
}

// ofTests are the flags of `go test` alone.
var ofTests = []string{
	"bench", "benchmem", "benchtime", "count", "cpu", "failfast", "fullpath", "parallel", "run", "short", "shuffle", "skip", "timeout",
	"coverprofile", "outputdir", "cpuprofile", "memprofile", "mutexprofile", "blockprofile", "trace",
}

// take returns the case for a call, or the reason why there is none.
func (s *script) take(name, verb string, args []string) (c *testCase, reason string, err error) {
	if m := s.env["GO111MODULE"]; m != "" && m != "on" {
		return nil, "GOPATH mode", nil
	}
	dir, text := s.module()
	if dir == "" {
		return nil, "no module", nil
	}
	c = &testCase{
		Name: name, Test: verb == "test", Env: map[string]string{},
		SubPackages: []string{}, Tags: []string{}, Ldflags: []string{}, Gcflags: []string{}, GOFLAGS: []string{}, CheckFlags: []string{},
	}
	patterns, reason := c.flags(verb, args)
	if reason == "" {
		reason = c.environment(s.env)
	}
	if reason != "" {
		return nil, reason, nil
	}
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	modPath := modulePath(text)
	for _, p := range patterns {
		p, reason := s.pattern(p, dir, modPath)
		if reason != "" {
			return nil, reason, nil
		}
		c.SubPackages = append(c.SubPackages, p)
	}
	if reason := s.packages(c, dir); reason != "" {
		return nil, reason, nil
	}
	root := filepath.Join(s.work, "gopath", "src")
	if dir != root && !strings.HasPrefix(dir, root+"/") {
		root = s.work
	}
	if c.ModRoot, err = filepath.Rel(root, dir); err != nil {
		return nil, "", err
	}
	return c, "", s.write(c, root)
}

// flags sets the flags of the case from the arguments of a call. It returns the package
// patterns, or the reason why the call is not a case.
func (c *testCase) flags(verb string, args []string) (patterns []string, reason string) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			if verb == "test" {
				return nil, notTaken["args"]
			}
			return append(patterns, args...), ""
		}
		if !strings.HasPrefix(arg, "-") {
			patterns = append(patterns, arg)
			if verb == "run" { // the rest is the program's
				return patterns, ""
			}
			continue
		}
		name, value, has := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		name = strings.TrimPrefix(name, "test.")
		takesValue, ok := leftOut[name]
		if takesValue || slices.Contains(valued, name) {
			if !has {
				if len(args) == 0 {
					return nil, "a flag without its value"
				}
				value, args = args[0], args[1:]
			}
		}
		switch {
		case ok, name == "vet" && value == "off", name == "mod" && value == "vendor":
		case notTaken[name] != "":
			return nil, notTaken[name]
		case name == "tags":
			c.Tags = append(c.Tags, value)
		case name == "ldflags":
			c.Ldflags = append(c.Ldflags, value)
		case name == "gcflags":
			c.Gcflags = append(c.Gcflags, value)
		case slices.Contains(ofTests, name), c.Test && strings.HasPrefix(name, "cover"):
			if has || slices.Contains(valued, name) {
				arg = "-" + name + "=" + value
			}
			c.CheckFlags = append(c.CheckFlags, arg)
		default:
			if slices.Contains(valued, name) {
				arg = "-" + name + "=" + value
			}
			if strings.ContainsAny(arg, " '\"") {
				return nil, "a flag with spaces"
			}
			c.GOFLAGS = append(c.GOFLAGS, arg)
		}
	}
	return patterns, ""
}

// environment sets those environment variables that concern a build.
func (c *testCase) environment(env map[string]string) (reason string) {
	for name, value := range env {
		switch {
		case name == "GOFLAGS":
			for _, f := range strings.Fields(value) {
				switch flag, _, _ := strings.Cut(strings.TrimLeft(f, "-"), "="); {
				case notTaken[flag] != "" && flag != "mod":
					return notTaken[flag]
				case flag == "mod":
				default:
					if _, ok := leftOut[flag]; !ok {
						c.GOFLAGS = append(c.GOFLAGS, f)
					}
				}
			}
		case name == "GOOS" || name == "GOARCH":
			if value != map[string]string{"GOOS": "linux", "GOARCH": "amd64"}[name] {
				c.Env[name] = value
			}
		case name == "GOWORK" && value != "" && value != "off":
			return "names a go.work"
		case name == "CC" || name == "CXX" || name == "FC" || name == "AR" || name == "PKG_CONFIG":
			return "another C compiler"
		case goVariable.MatchString(name) && value != "":
			c.Env[name] = value
		}
	}
	return ""
}

var goVariable = regexp.MustCompile(`^(CGO_ENABLED|CGO_[A-Z]*FLAGS(_ALLOW|_DISALLOW)?|GO386|GOAMD64|GOARM|GOARM64|GOMIPS|GOMIPS64|GOPPC64|GORISCV64|GOWASM|GOEXPERIMENT|GOFIPS140|GOWORK|GODEBUG)$`)

// packages sets the packages of the case, as `go list` prints them.
func (s *script) packages(c *testCase, dir string) (reason string) {
	args := slices.Concat([]string{"list", "-e", "-deps", "-f", "{{.Name}} {{.DepOnly}} {{if .Error}}{{.Error.Err}}{{end}}"}, []string{"-tags=" + strings.Join(c.Tags, ",")}, []string{"--"}, c.SubPackages)
	cmd := s.command0(args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "GOFLAGS="+strings.Join(c.GOFLAGS, " "), "PWD="+dir)
	out, err := cmd.CombinedOutput()
	if needsProxy.Match(out) {
		return "needs modules of a proxy"
	}
	if err != nil {
		return "" // the build reports the error
	}
	c.Library = !regexp.MustCompile(`(?m)^main false`).Match(out)
	return ""
}

var needsProxy = regexp.MustCompile(`GOPROXY=off|missing go.sum entry|no required module provides package|cannot find module providing package|updates to go.mod needed|GOVCS`)

var modLine = regexp.MustCompile("(?m)^module[ \t]+[\"`]?([^ \t\r\n\"`]+)")

func modulePath(text string) string {
	if m := modLine.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// write writes a case for cases.nix: the sources, the arguments of dgd, and a script
// with the call of the go command.
func (s *script) write(c *testCase, root string) error {
	dir := filepath.Join(s.out, "cases", c.Name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := copyTree(root, filepath.Join(dir, "src")); err != nil {
		return err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "case.json"), text, 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sh"), []byte(c.shell()), 0o666)
}

// shell returns a shell script that runs the go command in the directory of the
// sources, and leaves the programs in $bin.
func (c *testCase) shell() string {
	var b strings.Builder
	b.WriteString("cd " + quote(c.ModRoot) + "\n")
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		b.WriteString("export " + name + "=" + quote(c.Env[name]) + "\n")
	}
	if len(c.GOFLAGS) > 0 {
		b.WriteString("export GOFLAGS=" + quote(strings.Join(c.GOFLAGS, " ")) + "\n")
	}
	b.WriteString(`root=.
work=$(go env GOWORK)
if [ -n "$work" ] && [ "$work" != off ]; then root=${work%/*}; fi
mod=
if [ -f "$root/vendor/modules.txt" ]; then mod=-mod=vendor; fi
`)
	switch {
	case c.Test:
		// If tests fail, $build tells whether their packages can be built.
		b.WriteString("status=0\n" + c.call("test", "-vet=off", "-buildvcs=false") + " || status=$?\n")
		b.WriteString("if [ $status != 0 ] && " + c.call("build", "-buildvcs=false", "-o /dev/null") + ` >& "$build"; then rm "$build"; fi` + "\nexit $status\n")
	case c.Library:
		b.WriteString(c.call("build", "-trimpath", "-buildvcs=false") + "\n")
	default:
		b.WriteString(c.call("build", "-trimpath", "-buildvcs=false", `-o "$bin/"`) + "\n")
	}
	return b.String()
}

// call returns a call of the go command with the flags and packages of the case.
func (c *testCase) call(args ...string) string {
	verb := args[0]
	args = slices.Concat([]string{"go"}, args, []string{quote("-ldflags=" + strings.Join(c.ldflags(), " ")), `$mod`})
	if len(c.Gcflags) > 0 {
		args = append(args, quote("-gcflags="+strings.Join(c.Gcflags, " ")))
	}
	if len(c.Tags) > 0 {
		args = append(args, quote("-tags="+strings.Join(c.Tags, ",")))
	}
	if verb == "test" {
		for _, f := range c.CheckFlags {
			args = append(args, quote(f))
		}
	}
	for _, p := range c.SubPackages {
		args = append(args, quote(p))
	}
	return strings.Join(args, " ")
}

// ldflags returns the flags of the linker. The first one may begin with a pattern.
func (c *testCase) ldflags() []string {
	if slices.ContainsFunc(c.Ldflags, func(f string) bool { return strings.Contains(f, "-buildid=") }) {
		return c.Ldflags
	}
	return append(slices.Clone(c.Ldflags), "-buildid=")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// copyTree copies a directory, including symlinks.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o777)
		case d.Type()&os.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, info.Mode().Perm()|0o600)
	})
}
