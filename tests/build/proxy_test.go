package build

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"

	"dgd/internal/lock"
)

// A proxy is a module proxy for modules of the test.
type proxy struct {
	*httptest.Server
	modules map[string]map[string]string
	let     func(*http.Request) bool // reports whether a request is allowed; if nil, all are
	// zip handles requests for archives, unless it is nil.
	zip func(w http.ResponseWriter, r *http.Request)
}

// newProxy starts a proxy for modules, by PATH@VERSION, each with its files. In these,
// SALT is replaced by a string that is new to all stores, so that the modules have to be
// fetched.
func newProxy(t testing.TB, modules map[string]map[string]string) *proxy {
	t.Helper()
	p := unstarted(t, modules)
	p.Start()
	return p
}

// newTLSProxy starts a proxy with https.
func newTLSProxy(t testing.TB, modules map[string]map[string]string) *proxy {
	t.Helper()
	p := unstarted(t, modules)
	p.StartTLS()
	return p
}

func unstarted(t testing.TB, modules map[string]map[string]string) *proxy {
	p := &proxy{modules: map[string]map[string]string{}}
	for name, files := range modules {
		p.modules[name] = map[string]string{}
		for file, text := range files {
			p.modules[name][file] = salted(t, text)
		}
	}
	p.Server = httptest.NewUnstartedServer(p)
	t.Cleanup(func() { p.Close() })
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.let != nil && !p.let(r) {
		w.Header().Set("WWW-Authenticate", "Basic")
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	path, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/@v/")
	ext := filepath.Ext(file)
	version := strings.TrimSuffix(file, ext)
	path, err := module.UnescapePath(path)
	files, ok := p.modules[path+"@"+version]
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case file == "list":
		for _, name := range slices.Sorted(maps.Keys(p.modules)) {
			if v, ok := strings.CutPrefix(name, path+"@"); ok {
				fmt.Fprintln(w, v)
			}
		}
	case !ok:
		http.NotFound(w, r)
	case ext == ".info":
		fmt.Fprintf(w, `{"Version":%q,"Time":"2020-01-02T03:04:05Z"}`, version)
	case ext == ".mod":
		fmt.Fprint(w, files["go.mod"])
	case ext == ".zip" && p.zip != nil:
		p.zip(w, r)
	case ext == ".zip":
		w.Write(archive(path+"@"+version, files))
	default:
		http.NotFound(w, r)
	}
}

func archive(prefix string, files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := z.Create(prefix + "/" + name)
		if err != nil {
			panic(err)
		}
		f.Write([]byte(files[name]))
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// tree writes a module's files to a new directory.
func (p *proxy) tree(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	if p.modules[name] == nil {
		t.Fatalf("there is no module %s", name)
	}
	for file, text := range p.modules[name] {
		write(t, filepath.Join(dir, file), text)
	}
	return dir
}

// env returns the argument env with which a builder fetches from the proxy.
func (p *proxy) env() string {
	return fmt.Sprintf("env = { CGO_ENABLED = \"0\"; GOPROXY = %q; GONOSUMDB = \"example.org\"; };", p.URL)
}

// sums returns the lines of go.sum for modules PATH@VERSION.
func (p *proxy) sums(t testing.TB, names ...string) string {
	t.Helper()
	var text strings.Builder
	for _, name := range names {
		path, version, _ := strings.Cut(name, "@")
		file := filepath.Join(p.tree(t, name), "go.mod")
		mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(file) })
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s %s %s\n%s %s/go.mod %s\n", path, version, p.sum(t, name), path, version, mod)
	}
	return text.String()
}

func (p *proxy) sum(t testing.TB, name string) string {
	t.Helper()
	sum, err := dirhash.HashDir(p.tree(t, name), name, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// lock returns a lock of modules PATH@VERSION for a main module.
func (p *proxy) lock(t testing.TB, main string, names ...string) *lock.Lock {
	t.Helper()
	l := &lock.Lock{Main: []string{main}}
	for _, name := range names {
		path, version, _ := strings.Cut(name, "@")
		l.Modules = append(l.Modules, lock.Module{Path: path, Version: version, Sum: p.sum(t, name), Hash: narHash(t, p.tree(t, name))})
	}
	return l
}

// project writes a main module that requires modules, with its go.sum and its lock, and
// returns its directory.
func (p *proxy) project(t testing.TB, main string, files map[string]string, names ...string) string {
	t.Helper()
	src := project(t, files)
	p.require(t, src, main, names...)
	return src
}

// require writes the go.mod, go.sum and dgd.lock of a main module.
func (p *proxy) require(t testing.TB, src, main string, names ...string) {
	t.Helper()
	mod := "module " + main + "\n\ngo 1.24\n\n"
	for _, name := range names {
		path, version, _ := strings.Cut(name, "@")
		mod += "require " + path + " " + version + "\n"
	}
	write(t, filepath.Join(src, "go.mod"), mod)
	write(t, filepath.Join(src, "go.sum"), p.sums(t, names...))
	write(t, filepath.Join(src, "dgd.lock"), string(p.lock(t, main, names...).Format()))
}
