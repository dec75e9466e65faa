package making

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"

	"dgd/internal/lock"
	"dgd/internal/nix/nar"
)

// A library is a directory of published modules, in the layout of a module proxy.
type library struct {
	t   *testing.T
	dir string
	// expected has the sum and the hash of each module.
	expected map[module.Version]tree
	sums     map[module.Version]string // the lines of go.sum
}

func newLibrary(t *testing.T) *library {
	return &library{t: t, dir: t.TempDir(), expected: map[module.Version]tree{}, sums: map[module.Version]string{}}
}

// publish adds a module PATH@VERSION. If its files have no go.mod, the proxy serves a
// synthesised one.
func (l *library) publish(name string, files map[string]string) {
	l.t.Helper()
	path, version, _ := strings.Cut(name, "@")
	m := module.Version{Path: path, Version: version}
	mod, ok := files["go.mod"]
	if !ok {
		mod = "module " + path + "\n"
	}
	_, file, err := inCache(l.dir, m)
	if err != nil {
		l.t.Fatal(err)
	}
	file = filepath.Join(l.dir, strings.TrimPrefix(file, filepath.Join(l.dir, "cache", "download")))
	unpacked := l.t.TempDir()
	var names []string
	for name, text := range files {
		writeTest(l.t, filepath.Join(unpacked, name), text)
		names = append(names, name)
	}
	writeTest(l.t, file+".info", fmt.Sprintf(`{"Version": %q, "Time": "2024-01-02T03:04:05Z"}`, version))
	writeTest(l.t, file+".mod", mod)
	out, err := os.Create(file + ".zip")
	if err != nil {
		l.t.Fatal(err)
	}
	z := zip.NewWriter(out)
	slices.Sort(names)
	for _, n := range names {
		w, err := z.Create(name + "/" + n)
		if err == nil {
			_, err = io.WriteString(w, files[n])
		}
		if err != nil {
			l.t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), out.Close()); err != nil {
		l.t.Fatal(err)
	}
	sum, err := dirhash.HashZip(file+".zip", dirhash.Hash1)
	if err != nil {
		l.t.Fatal(err)
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(mod)), nil })
	if err != nil {
		l.t.Fatal(err)
	}
	hash, err := nar.Tree{Root: unpacked}.Hash()
	if err != nil {
		l.t.Fatal(err)
	}
	l.expected[m] = tree{sum: sum, hash: hash.SRI()}
	l.sums[m] = fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", path, version, sum, path, version, modSum)
}

// goSum returns a go.sum for modules PATH@VERSION. For PATH@VERSION/go.mod it has only
// the checksum of go.mod.
func (l *library) goSum(names ...string) string {
	l.t.Helper()
	text := ""
	for _, name := range names {
		name, modOnly := strings.CutSuffix(name, "/go.mod")
		path, version, _ := strings.Cut(name, "@")
		lines, ok := l.sums[module.Version{Path: path, Version: version}]
		if !ok {
			l.t.Fatalf("%s is not published", name)
		}
		if modOnly {
			_, lines, _ = strings.Cut(lines, "\n")
		}
		text += lines
	}
	return text
}

// want returns the modules of a lock: each is PATH@VERSION, "bare PATH@VERSION" if no
// files are needed, or "PATH@VERSION => PATH@VERSION" with a replacement.
func (l *library) want(lines ...string) []lock.Module {
	l.t.Helper()
	var list []lock.Module
	for _, line := range lines {
		line, bare := strings.CutPrefix(line, "bare ")
		name, by, _ := strings.Cut(line, " => ")
		var m lock.Module
		m.Path, m.Version, _ = strings.Cut(name, "@")
		m.Replace.Path, m.Replace.Version, _ = strings.Cut(by, "@")
		if !bare {
			tree, ok := l.expected[m.Source()]
			if !ok {
				l.t.Fatalf("%v is not published", m.Source())
			}
			m.Sum, m.Hash = tree.sum, tree.hash
		}
		list = append(list, m)
	}
	return list
}

// fileProxy returns a GOPROXY for the library.
func (l *library) fileProxy() string { return "file://" + l.dir }

// serve starts a server for the library, whose handler wrap may change.
func (l *library) serve(wrap func(http.Handler) http.Handler) *httptest.Server {
	var h http.Handler = http.FileServer(http.Dir(l.dir))
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewServer(h)
	l.t.Cleanup(s.Close)
	return s
}

// environment sets the environment of the go command independently of the user's
// settings, with an empty module cache, which it returns.
func environment(t *testing.T, proxy string) string {
	t.Helper()
	home := t.TempDir()
	cache := filepath.Join(home, "modcache")
	// Without this, the go command starts a background process that writes there.
	writeTest(t, filepath.Join(home, "config", "go", "telemetry", "mode"), "off 2024-01-01")
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, "config"), "GOPATH": filepath.Join(home, "go"), "GOMODCACHE": cache, "GOCACHE": filepath.Join(home, "gocache"),
		"GOENV": "off", "GOFLAGS": "-modcacherw", "GOPROXY": proxy, "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOWORK": "",
		"GOPRIVATE": "", "GONOPROXY": "", "GONOSUMDB": "", "GOINSECURE": "", "GOVCS": "", "NETRC": "", "GOAUTH": "netrc",
		"GIT_CONFIG_GLOBAL": filepath.Join(home, "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1",
		"HTTP_PROXY": "", "HTTPS_PROXY": "", "http_proxy": "", "https_proxy": "", "ALL_PROXY": "", "all_proxy": "",
	} {
		t.Setenv(name, value)
	}
	return cache
}

func writeTest(t *testing.T, name, text string) {
	t.Helper()
	if err := writeFile(name, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// project writes a project and returns its directory.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		writeTest(t, filepath.Join(dir, name), text)
	}
	return dir
}

// snapshot returns the contents of all files below a directory, by path.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func makeLock(t *testing.T, dir string) (*lock.Lock, error) {
	t.Helper()
	p, err := Find(dir, os.Getenv("GOWORK"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	return Make(ctx, p, Options{Jobs: 3, Timeout: time.Minute})
}

func mustMake(t *testing.T, dir string) *lock.Lock {
	t.Helper()
	l, err := makeLock(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// suffices builds for several platforms with a module cache that has only the modules
// of the lock.
func suffices(t *testing.T, dir string, l *lock.Lock, patterns ...string) {
	t.Helper()
	cache := t.TempDir()
	userCache := os.Getenv("GOMODCACHE")
	copyMod := func(m module.Version) {
		_, file, err := inCache(cache, m)
		if err != nil {
			t.Fatal(err)
		}
		_, have, _ := inCache(userCache, m)
		text, err := os.ReadFile(have + ".mod")
		if err != nil {
			t.Fatal(err)
		}
		writeTest(t, file+".mod", string(text))
	}
	for _, m := range l.Modules {
		if m.Hash == "" {
			continue
		}
		copyMod(m.Source())
		to, file, _ := inCache(cache, m.Source())
		tree, _, _ := inCache(userCache, m.Source())
		writeTest(t, file+".ziphash", m.Sum)
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(tree, to); err != nil {
			t.Fatal(err)
		}
	}
	if l.GoMods != nil {
		for _, m := range l.GoMods.Modules {
			copyMod(m)
		}
	}
	for _, goos := range []string{"linux", "windows", "plan9"} {
		cmd := exec.Command("go", append([]string{"list", "-deps", "-test"}, patterns...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOMODCACHE="+cache, "GOPROXY=off", "GOOS="+goos, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("for %s: %v\n%s", goos, err, out)
		}
	}
}
