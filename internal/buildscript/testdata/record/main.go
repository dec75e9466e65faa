// Command record records what `go build -n` prints.
//
//	cd internal/buildscript && go run ./testdata/record [PATTERN]
//
// It unpacks each testdata/src/NAME.txtar, runs the commands listed below with
// several Go toolchains and targets, always with an empty build cache, and
// writes testdata/scripts/goVERSION/SCRIPT.txt.gz. PATTERN selects scripts by a
// part of goVERSION/SCRIPT. Nothing is compiled: the C compilers that the
// scripts name need not exist.
//
// It works in a temporary directory, whose path it removes from the scripts: there
// the toolchain is /goroot and the module is /src.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	top    = "/tmp/dgd-record"
	goroot = top + "/goroot"
	src    = top + "/src"
)

// versions are the toolchains: the newest of each minor version.
var versions = []string{"1.24.13", "1.25.14", "1.26.11", "1.27.4"}

// A script is one command line with its environment.
type script struct {
	name   string // also the name of the module: what precedes the first dash
	target string // GOOS/GOARCH
	cgo    bool
	args   string
	root   string   // the directory of the module below /src; "" means the module's name
	only   []string // minor versions of Go; none means all
}

var targets = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64", "js/wasm"}

func scripts() []script {
	list := []script{
		{name: "embed", target: "linux/amd64", args: "build"},
		{name: "embed-cover", target: "linux/amd64", args: "build -cover"},
		{name: "pgo", target: "linux/amd64", args: "build"},
		{name: "pgo-none", target: "linux/amd64", args: "build -pgo=off"},
		{name: "hostile", target: "linux/amd64", args: "build . ./lib"},
		{name: "hostile-cover", target: "linux/amd64", args: "build -cover"},
		{name: "hostile-root", target: "linux/amd64", args: "build . ./lib", root: "a b/$c;d's (1)"},
		{name: "hostile-windows", target: "windows/amd64", args: "build . ./lib"},
		{name: "asm-root", target: "linux/amd64", args: "build", root: "my programs"},
		{name: "cgo-root", target: "linux/amd64", cgo: true, args: "build", root: "my programs"},
		{name: "cgo-lang", target: "linux/amd64", cgo: true, args: "build ./lang"},
		{name: "cgo-pie", target: "linux/amd64", cgo: true, args: "build -buildmode=pie"},
		{name: "cgo-cshared", target: "linux/amd64", cgo: true, args: "build -buildmode=c-shared -o lib.so"},
		{name: "cgo-carchive", target: "linux/amd64", cgo: true, args: "build -buildmode=c-archive"},
		{name: "cgo-race", target: "linux/amd64", cgo: true, args: "build -race"},
		{name: "cgo-cover", target: "linux/amd64", cgo: true, args: "build -cover"},
		{name: "cgo-trimpath", target: "linux/amd64", cgo: true, args: "build -trimpath"},
		{name: "cgo-vet", target: "linux/amd64", cgo: true, args: "test -c -cover -o exp.test ./exp"},
		{name: "cgo-386", target: "linux/386", cgo: true, args: "build"},
		{name: "pure-cover", target: "linux/amd64", args: "build -cover -covermode=atomic -coverpkg=./..."},
		{name: "pure-trimpath", target: "linux/amd64", args: "build -trimpath -buildvcs=false -ldflags=-buildid="},
		{name: "pure-flags", target: "linux/amd64", args: "build -gcflags=all=-N|-gcflags=-m=2 -l|-asmflags=all=-D X|-ldflags=-X 'main.v=a .b (c)' -s -w|-tags=x,y"},
		{name: "pure-out", target: "linux/amd64", args: "build|-o|out dir/"},
		{name: "pure-plugin", target: "linux/amd64", cgo: true, args: "build -buildmode=plugin"},
		{name: "pure-experiment", target: "linux/amd64", args: "build"},
		{name: "test", target: "linux/amd64", args: "test -c -vet=off -o lib.test"},
		{name: "test-cover", target: "linux/amd64", args: "test -c -vet=off -cover -coverpkg=./... -o lib.test"},
		{name: "test-vet", target: "linux/amd64", args: "test -c -o lib.test"},
		{name: "test-race", target: "windows/amd64", cgo: true, args: "test -c -vet=off -race -o lib.test.exe"},
		{name: "test-run", target: "linux/amd64", args: "test -vet=off -timeout=5m -run=^TestTwo$ ./..."},
		{name: "test-run-trimpath", target: "linux/amd64", args: "test -vet=off -trimpath -short ./..."},
		{name: "cgo-test-run", target: "linux/amd64", cgo: true, args: "test -vet=off -skip=none ./exp"},
		{name: "net", target: "linux/amd64", cgo: true, args: "build", only: []string{"1.26"}},
	}
	for _, target := range targets {
		list = append(list,
			script{name: "pure", target: target, args: "build"},
			script{name: "asm", target: target, args: "build"})
		if target != "js/wasm" {
			list = append(list, script{name: "cgo", target: target, cgo: true, args: "build"})
		}
		list = append(list, script{name: "pgo-cover", target: target, args: "build -cover"})
		// Go has no race detector for windows/arm64 and js/wasm.
		if target != "js/wasm" && target != "windows/arm64" {
			list = append(list, script{name: "pure-race", target: target, cgo: true, args: "build -race"})
		}
	}
	return list
}

func (s script) env() []string {
	goos, goarch, _ := strings.Cut(s.target, "/")
	env := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + top + "/home",
		"GOROOT=" + goroot,
		"GOCACHE=" + top + "/cache",
		"GOMODCACHE=" + top + "/mod",
		"GOENV=off",
		"GOFLAGS=-buildvcs=false",
		"GOTOOLCHAIN=local",
		"GOPROXY=off",
		"GOWORK=off",
		"GOMAXPROCS=4",
		"GOOS=" + goos,
		"GOARCH=" + goarch,
		"CGO_ENABLED=0",
	}
	if s.name == "pure-experiment" {
		env = append(env, "GOEXPERIMENT=arenas")
	}
	if s.cgo {
		env = append(env, "CGO_ENABLED=1")
		cc, cxx := "gcc", "g++"
		switch s.target {
		case "linux/arm64":
			cc, cxx = "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++"
		case "darwin/amd64", "darwin/arm64":
			cc, cxx = "clang", "clang++"
		case "windows/amd64":
			cc, cxx = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-g++"
		case "windows/arm64":
			cc, cxx = "/opt/llvm mingw/bin/clang-20", "/opt/llvm mingw/bin/clang++-20"
			return append(env, `CC="`+cc+`"`, `CXX="`+cxx+`"`)
		}
		env = append(env, "CC="+cc, "CXX="+cxx)
	}
	return env
}

func main() {
	log.SetFlags(0)
	pattern := ""
	if len(os.Args) > 1 {
		pattern = os.Args[1]
	}
	for _, version := range versions {
		minor := version[:strings.LastIndex(version, ".")]
		out := filepath.Join("testdata", "scripts", "go"+minor)
		check(os.MkdirAll(out, 0o777))
		toolchain(version)
		for _, s := range scripts() {
			file := filepath.Join(out, strings.ReplaceAll(s.target, "/", "-")+"-"+s.name+".txt.gz")
			if !strings.Contains(file, pattern) || len(s.only) > 0 && !strings.Contains(strings.Join(s.only, " "), minor) {
				continue
			}
			log.Print(file)
			check(os.WriteFile(file, compress(s.record()), 0o666))
		}
	}
	check(os.RemoveAll(top))
}

// record runs the go command and returns what it prints.
func (s script) record() []byte {
	check(os.RemoveAll(top + "/cache"))
	check(os.RemoveAll(src))
	module, _, _ := strings.Cut(s.name, "-")
	root := s.root
	if root == "" {
		root = module
	}
	dir := filepath.Join(src, root)
	unpack(filepath.Join("testdata", "src", module+".txtar"), dir)
	args := strings.Split(s.args, "|")
	if len(args) == 1 {
		args = strings.Fields(s.args)
	} else {
		args = append(strings.Fields(args[0]), args[1:]...)
	}
	args = append([]string{args[0], "-n"}, args[1:]...)
	cmd := exec.Command(goroot+"/bin/go", args...)
	cmd.Dir = dir
	cmd.Env = append(s.env(), "PWD="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		log.Fatalf("%q: %v\n%s", args, err, stderr.Bytes())
	}
	text := bytes.ReplaceAll(stderr.Bytes(), []byte(goroot), []byte("/goroot"))
	return bytes.ReplaceAll(text, []byte(src), []byte("/src"))
}

// toolchain makes goroot the given toolchain, as the module proxy serves it.
func toolchain(version string) {
	cmd := exec.Command("go", "mod", "download", "-json", "golang.org/toolchain@v0.0.1-go"+version+".linux-amd64")
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	check(err)
	var module struct{ Dir string }
	check(json.Unmarshal(data, &module))
	check(os.RemoveAll(goroot))
	check(os.MkdirAll(goroot, 0o777))
	// The programs must be copied: a module's files are not executable.
	for _, dir := range []string{"bin", "pkg"} {
		check(os.CopyFS(filepath.Join(goroot, dir), os.DirFS(filepath.Join(module.Dir, dir))))
	}
	check(filepath.WalkDir(goroot, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o777)
	}))
	for _, name := range []string{"VERSION", "go.env", "lib", "src"} {
		check(os.Symlink(filepath.Join(module.Dir, name), filepath.Join(goroot, name)))
	}
}

// unpack writes the files of a txtar archive into dir.
func unpack(archive, dir string) {
	data, err := os.ReadFile(archive)
	check(err)
	var file *os.File
	for line := range strings.Lines(string(data)) {
		name, ok := strings.CutPrefix(line, "-- ")
		if ok {
			name, ok = strings.CutSuffix(name, " --\n")
		}
		switch {
		case ok:
			if file != nil {
				check(file.Close())
			}
			path := filepath.Join(dir, name)
			check(os.MkdirAll(filepath.Dir(path), 0o777))
			file, err = os.Create(path)
			check(err)
		case file != nil:
			_, err := fmt.Fprint(file, line)
			check(err)
		}
	}
	check(file.Close())
}

func compress(data []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	check(err)
	_, err = w.Write(data)
	check(err)
	check(w.Close())
	return buf.Bytes()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
