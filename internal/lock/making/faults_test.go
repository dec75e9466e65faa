package making

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const password = "s3cret/p@ss"

// small returns a project that needs two modules.
func small(l *library) map[string]string {
	return map[string]string{
		"go.mod":   "module example.com/app\n\ngo 1.24\n\n" + requirements("example.com/a@v1.0.0", "example.com/b@v1.0.0"),
		"go.sum":   l.goSum("example.com/a@v1.0.0", "example.com/b@v1.0.0"),
		"main.go":  "package main\n\nimport _ \"example.com/a\"\n\nfunc main() {}\n",
		"dgd.lock": "the old lock",
	}
}

// fails checks that Write fails, that neither the error nor the progress shows a
// password, and that the project does not change. It returns the error.
func fails(t *testing.T, dir string, timeout time.Duration) string {
	t.Helper()
	before := snapshot(t, dir)
	p, err := Find(dir, os.Getenv("GOWORK"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var progress bytes.Buffer
	_, _, err = Write(ctx, p, Options{Jobs: 2, Timeout: timeout, Progress: &progress})
	if err == nil {
		t.Fatal("there is no error")
	}
	text := err.Error()
	for _, part := range strings.Split(password, "/") {
		if strings.Contains(text+progress.String(), part) {
			t.Errorf("a password appears in\n%s%s", progress.String(), text)
		}
	}
	if strings.Contains(text, "\n\n") {
		t.Errorf("more than one paragraph:\n%s", text)
	}
	if !maps.Equal(before, snapshot(t, dir)) {
		t.Error("the project is not as it was")
	}
	return text
}

func contains(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the error has no %q:\n%s", w, text)
		}
	}
}

// on returns a wrapper with which another handler answers requests whose path has a
// suffix.
func on(suffix string, other http.HandlerFunc) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, suffix) {
				other(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

func TestProxyFaults(t *testing.T) {
	lib := published(t)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) }) // runs before the servers are closed, which wait for it
	html := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Welcome to the hotel</html>") }
	for _, test := range []struct {
		name string
		wrap func(http.Handler) http.Handler
		want []string
	}{
		{"refuses", on(".zip", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }),
			[]string{"500 Internal Server Error"}},
		{"does not have it", on("a/@v/v1.0.0.info", http.NotFound), []string{"404 Not Found", "does not have it: for a private module, set GOPRIVATE"}},
		{"an invalid info", on(".info", html), []string{"invalid character '<'", "does not answer as a module proxy: try another one"}},
		{"an invalid go.mod", on("a/@v/v1.0.0.mod", html), []string{"example.com/a@v1.0.0", "is not what go.sum says"}},
		{"an invalid archive", on(".zip", html), []string{"not a valid zip file", "does not answer as a module proxy: try another one"}},
		{"breaks off", on(".zip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "PK")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}), []string{"unexpected EOF", "does not answer as a module proxy: try another one, or try again"}},
		{"hangs", on("a/@v/v1.0.0.zip", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-done:
			}
		}), []string{"no data received for 3s", "see whether GOPROXY answers (it is http://127.0.0.1:", "or set --timeout higher"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			environment(t, lib.serve(test.wrap).URL)
			contains(t, fails(t, project(t, small(lib)), 3*time.Second), test.want...)
		})
	}
	t.Run("is down", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		environment(t, "http://user:s3cret%2Fp%40ss@"+l.Addr().String())
		contains(t, fails(t, project(t, small(lib)), time.Minute), "refusing to pass credentials", "take https, or leave out the password")
		t.Setenv("GOPROXY", "https://user:s3cret%2Fp%40ss@"+l.Addr().String())
		contains(t, fails(t, project(t, small(lib)), time.Minute), "connection refused", "GOPROXY (https://"+l.Addr().String()+") or the module's server does not answer: see whether it is up")
	})
	t.Run("is off", func(t *testing.T) {
		environment(t, "off")
		contains(t, fails(t, project(t, small(lib)), time.Minute), "module lookup disabled by GOPROXY=off")
	})
}

// A download that is slow but makes progress is not given up.
func TestSlowProxy(t *testing.T) {
	lib := published(t)
	s := lib.serve(on("a/@v/v1.0.0.zip", func(w http.ResponseWriter, r *http.Request) {
		text, _ := os.ReadFile(filepath.Join(lib.dir, r.URL.Path))
		for part := range bytes.Lines(text) { // some twenty
			w.Write(part)
			w.(http.Flusher).Flush()
			time.Sleep(4 * time.Second / time.Duration(1+bytes.Count(text, []byte("\n"))))
		}
	}))
	environment(t, s.URL)
	p, err := Find(project(t, small(lib)), os.Getenv("GOWORK"))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := Make(t.Context(), p, Options{Jobs: 1, Timeout: 3 * time.Second}); err != nil || time.Since(start) < 3*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

// An interrupted call ends at once, with all processes that it has started.
func TestInterrupted(t *testing.T) {
	lib := published(t)
	ctx, cancel := context.WithCancel(t.Context())
	var ended atomic.Bool
	s := lib.serve(on(".zip", func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done() // the go command's connection is gone
		ended.Store(true)
	}))
	environment(t, s.URL)
	p, err := Find(project(t, small(lib)), os.Getenv("GOWORK"))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Write(ctx, p, Options{Jobs: 1, Timeout: time.Minute})
	s.Close() // waits for the handler
	if err != context.Canceled || !ended.Load() {
		t.Errorf("the error is %v, the go command ended: %v", err, ended.Load())
	}
	if text, err := os.ReadFile(p.LockFile()); err != nil || string(text) != "the old lock" {
		t.Errorf("the lock is %q (%v)", text, err)
	}
}

// A call that is interrupted during any of its go commands ends at once and leaves no
// files.
func TestInterruptedAnywhere(t *testing.T) {
	lib := published(t)
	for _, step := range []string{"env -json", "list -m", "mod vendor", "list -deps"} {
		t.Run(step, func(t *testing.T) {
			environment(t, lib.fileProxy())
			files := old(lib)
			files["dgd.lock"] = "the old lock"
			dir := project(t, files)
			p, err := Find(dir, os.Getenv("GOWORK"))
			if err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, dir)
			t.Setenv("TMPDIR", t.TempDir())
			started := filepath.Join(t.TempDir(), "started")
			// Some calls run the go command in GOROOT.
			goScript(t, fmt.Sprintf(`case "$1 $2" in
%q) echo > %q; sleep 1000;;
"env -json") "$GO" "$@" | sed "s|\"GOROOT\": .*|\"GOROOT\": \"$(dirname "$(dirname "$0")")\"|";;
*) exec "$GO" "$@";;
esac`, step, started))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for !exists(started) && ctx.Err() == nil {
					time.Sleep(10 * time.Millisecond)
				}
				cancel()
			}()
			start := time.Now()
			_, _, err = Write(ctx, p, Options{Jobs: 1, Timeout: time.Minute})
			if err != context.Canceled || !exists(started) || time.Since(start) > 30*time.Second {
				t.Errorf("after %v the error is %v", time.Since(start), err)
			}
			if !maps.Equal(before, snapshot(t, dir)) {
				t.Error("the project is not as it was")
			}
			if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
				t.Errorf("%v is left (%v)", left, err)
			}
		})
	}
}

func TestGoSumFaults(t *testing.T) {
	lib := published(t)
	wrong := strings.Replace(lib.goSum("example.com/a@v1.0.0"), "h1:", "h1:AAAA", 1)
	wrong = wrong[:strings.Index(wrong, "=\n")-4] + wrong[strings.Index(wrong, "=\n"):]
	for _, test := range []struct {
		name, goSum string
		filled      bool // the module cache has all modules
		want        []string
	}{
		{"missing", "", false, []string{"DIR has no go.sum, although it needs modules: run `go mod tidy` there"}},
		{"without a module", lib.goSum("example.com/b@v1.0.0"), false, []string{"example.com/a", "missing go.sum entry", "go.sum is incomplete: run `go mod tidy` in DIR"}},
		{"without a module that is there", lib.goSum("example.com/b@v1.0.0"), true, []string{"missing go.sum entry", "go.sum is incomplete: run `go mod tidy` in DIR"}},
		{"without files", lib.goSum("example.com/a@v1.0.0", "example.com/b@v1.0.0/go.mod"), false, []string{"example.com/b", "missing go.sum entry", "run `go mod tidy` in DIR"}},
		{"wrong", wrong + lib.goSum("example.com/b@v1.0.0"), false, []string{"example.com/a@v1.0.0: checksum mismatch", "is not what go.sum says: find out which of them is right"}},
		{"wrong for what is there", wrong + lib.goSum("example.com/b@v1.0.0"), true, []string{"example.com/a@v1.0.0 was downloaded with the checksum h1:", "and go.sum says h1:AAAA"}},
		{"damaged", "<<<<<<< HEAD of it\n", false, []string{"DIR/go.sum:1: a line must be a module, a version and a checksum: repair the file by `go mod tidy`"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			environment(t, lib.fileProxy())
			files := small(lib)
			if test.filled {
				mustMake(t, project(t, files))
			}
			if files["go.sum"] = test.goSum; test.goSum == "" {
				delete(files, "go.sum")
			}
			dir := project(t, files)
			text := fails(t, dir, time.Minute)
			contains(t, strings.ReplaceAll(text, dir, "DIR"), test.want...)
		})
	}
}

// In a workspace the go command accepts modules without a checksum and adds them to
// go.work.sum. A lock needs the checksum beforehand.
func TestWorkSum(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	dir := project(t, map[string]string{
		"go.work":     "go 1.24\n\nuse ./one\n",
		"one/go.mod":  "module example.com/one\n\ngo 1.24\n\n" + requirements("example.com/a@v1.0.0", "example.com/b@v1.0.0"),
		"one/go.sum":  lib.goSum("example.com/a@v1.0.0", "example.com/b@v1.0.0/go.mod"),
		"one/main.go": "package main\n\nimport _ \"example.com/a\"\n\nfunc main() {}\n",
	})
	text := strings.ReplaceAll(fails(t, dir, time.Minute), dir, "DIR")
	if want := "neither a go.sum nor go.work.sum has example.com/b@v1.0.0: run `go mod download` in DIR"; text != want {
		t.Errorf("the error is %s, want %s", text, want)
	}
	cmd := exec.Command("go", "mod", "download")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l := mustMake(t, dir)
	if want := lib.want("example.com/a@v1.0.0", "example.com/b@v1.0.0"); !reflect.DeepEqual(l.Modules, want) {
		t.Errorf("got\n%s", l.Format())
	}
	suffices(t, dir, l, "./one/...")
	checkClean(t, dir, l)
}

func TestProjectFaults(t *testing.T) {
	lib := published(t)
	for _, test := range []struct {
		name  string
		write map[string]string
		want  []string
	}{
		{"an import that go.mod does not know", map[string]string{"more.go": "package main\n\nimport _ \"example.com/unneeded\"\n"},
			[]string{"example.com/unneeded", "go.mod does not have all that the packages import: run `go mod tidy` in DIR"}},
		{"a damaged go.mod", map[string]string{"go.mod": "modul x\n"}, []string{"DIR/go.mod:1: unknown directive: modul"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			environment(t, lib.fileProxy())
			dir := project(t, small(lib))
			for name, text := range test.write {
				writeTest(t, filepath.Join(dir, name), text)
			}
			contains(t, strings.ReplaceAll(fails(t, dir, time.Minute), dir, "DIR"), test.want...)
		})
	}
	t.Run("no go command", func(t *testing.T) {
		environment(t, lib.fileProxy())
		t.Setenv("PATH", t.TempDir())
		contains(t, fails(t, project(t, small(lib)), time.Minute), "there is no go command in PATH: install Go")
	})
	t.Run("another program of that name", func(t *testing.T) {
		environment(t, lib.fileProxy())
		goScript(t, "echo Your move:")
		contains(t, fails(t, project(t, small(lib)), time.Minute), "go env: invalid character 'Y'")
	})
	t.Run("a go command with an invalid answer", func(t *testing.T) {
		environment(t, lib.fileProxy())
		goScript(t, `case "$1 $2" in "list -m") echo x;; *) exec "$GO" "$@";; esac`)
		contains(t, fails(t, project(t, old(lib)), time.Minute), "go list -m: invalid character 'x'")
	})
	t.Run("a go command that fetches nothing", func(t *testing.T) {
		cache := environment(t, lib.fileProxy())
		goScript(t, `case "$1 $2" in "mod download") echo {};; *) exec "$GO" "$@";; esac`)
		contains(t, fails(t, project(t, small(lib)), time.Minute), "go mod download: example.com/", "@v1.0.0 is not in "+cache)
	})
	t.Run("a Go that is too old", func(t *testing.T) {
		environment(t, lib.fileProxy())
		files := small(lib)
		files["go.mod"] = strings.Replace(files["go.mod"], "go 1.24", "go 1.999", 1)
		contains(t, fails(t, project(t, files), time.Minute), "go.mod requires go >= 1.999", "GOTOOLCHAIN=local")
	})
	t.Run("GOFLAGS with another go.mod", func(t *testing.T) {
		environment(t, lib.fileProxy())
		t.Setenv("GOFLAGS", "-modcacherw -modfile=other.mod")
		contains(t, fails(t, project(t, small(lib)), time.Minute), "GOFLAGS has -modfile=other.mod, so that go reads other files than a build with the lock: remove it from GOFLAGS")
	})
	t.Run("nowhere for temporary files", func(t *testing.T) {
		environment(t, lib.fileProxy())
		dir, none := project(t, small(lib)), filepath.Join(t.TempDir(), "none")
		t.Setenv("TMPDIR", none)
		contains(t, fails(t, dir, time.Minute), none, "no such file or directory")
	})
	t.Run("a module that cannot be", func(t *testing.T) {
		environment(t, lib.fileProxy())
		files := small(lib)
		files["go.mod"] += "require example.com/a!b v1.0.0\n"
		files["go.sum"] += "example.com/a!b v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		contains(t, fails(t, project(t, files), time.Minute), `malformed module path "example.com/a!b": invalid char '!'`)
	})
	t.Run("a version that cannot be", func(t *testing.T) {
		environment(t, lib.fileProxy())
		files := small(lib)
		files["go.mod"] += "require example.com/c v1.0.0!x\n"
		files["go.sum"] += "example.com/c v1.0.0!x h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		contains(t, fails(t, project(t, files), time.Minute), "v1.0.0!x", "invalid")
	})
	t.Run("a build list that cannot be had", func(t *testing.T) {
		environment(t, lib.serve(on("deep/@v/v1.0.0.mod", http.NotFound)).URL)
		files := old(lib)
		files["dgd.lock"] = "the old lock"
		contains(t, fails(t, project(t, files), time.Minute), "example.com/deep@v1.0.0", "404 Not Found", "does not have it: for a private module, set GOPRIVATE")
	})
	t.Run("a directory that cannot be written to", func(t *testing.T) {
		environment(t, lib.fileProxy())
		files := small(lib)
		delete(files, "dgd.lock")
		dir := project(t, files)
		// Not even root can replace a directory by a file.
		if err := os.MkdirAll(filepath.Join(dir, "dgd.lock", "x"), 0o777); err != nil {
			t.Fatal(err)
		}
		contains(t, fails(t, dir, time.Minute), "dgd.lock")
	})
	t.Run("a directory of somebody else", func(t *testing.T) {
		dir := project(t, map[string]string{"dgd.lock": "the old lock", "private/x.go": "package x\n", "go.mod": "module x\n", "x.go": "package x\n"})
		t.Setenv("GOWORK", "off")
		p, err := Find(dir, os.Getenv("GOWORK"))
		if err != nil {
			t.Fatal(err)
		}
		chmod := func(name string, mode os.FileMode) {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
		chmod(filepath.Join(dir, "private"), 0)
		chmod(dir, 0o555)
		defer chmod(dir, 0o755)
		defer chmod(filepath.Join(dir, "private"), 0o755)
		for d := filepath.Dir(dir); len(d) > len(os.TempDir()); d = filepath.Dir(d) {
			chmod(d, 0o755)
		}
		asAnybody(func() {
			if _, err := ReplaceFile(p.LockFile(), []byte("the new lock")); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("the lock is written: %v", err)
			}
			// As the go command does, it leaves out directories that it cannot read.
			if packages, err := p.mainPackages(); err != nil || len(packages) != 1 || packages[0] != "x" {
				t.Errorf("packages: %q (%v)", packages, err)
			}
		})
	})
}

// asAnybody calls a function in a thread without root's privilege to read and write
// all files.
func asAnybody(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // which ends with the goroutine
		if os.Geteuid() == 0 {
			syscall.Setfsuid(65534)
		}
		do()
	}()
	<-done
}

// goScript puts a shell script in the place of the go command in PATH. In the script,
// $GO is the real one.
func goScript(t *testing.T, script string) {
	t.Helper()
	program, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "bin") // as in a GOROOT
	writeTest(t, filepath.Join(bin, "go"), "#!/bin/sh\nGO="+program+"\n"+script+"\n")
	if err := os.Chmod(filepath.Join(bin, "go"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// guard returns a handler that requires a password.
func guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, word, _ := r.BasicAuth(); name != "user" || word != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="modules"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// serveTLS starts an https server with a certificate that go and git trust.
func serveTLS(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	writeTest(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	t.Setenv("SSL_CERT_FILE", file)
	t.Setenv("GIT_SSL_CAINFO", file)
	return s
}

// netrc writes a password for a server to ~/.netrc. For go the server's name includes
// the port, for git it does not.
func netrc(t *testing.T, url, word string) {
	t.Helper()
	text := ""
	for _, machine := range []string{"127.0.0.1", strings.TrimPrefix(url, "https://")} {
		text += "machine " + machine + " login user password " + word + "\n"
	}
	writeTest(t, filepath.Join(os.Getenv("HOME"), ".netrc"), text)
}

func TestPassword(t *testing.T) {
	lib := published(t)
	server := func(t *testing.T) string {
		environment(t, "")
		s := serveTLS(t, guard(http.FileServer(http.Dir(lib.dir))))
		t.Setenv("GOPROXY", s.URL)
		return s.URL
	}
	want := lib.want("example.com/a@v1.0.0", "example.com/b@v1.0.0")
	good := func(t *testing.T) {
		if l := mustMake(t, project(t, small(lib))); !reflect.DeepEqual(l.Modules, want) {
			t.Errorf("got\n%s", l.Format())
		}
	}
	t.Run("in ~/.netrc", func(t *testing.T) {
		netrc(t, server(t), password)
		good(t)
	})
	t.Run("in the file that NETRC names", func(t *testing.T) {
		netrc(t, server(t), password)
		file := filepath.Join(t.TempDir(), "netrc")
		if err := os.Rename(filepath.Join(os.Getenv("HOME"), ".netrc"), file); err != nil {
			t.Fatal(err)
		}
		t.Setenv("NETRC", file)
		good(t)
	})
	t.Run("in GOPROXY", func(t *testing.T) {
		url := server(t)
		t.Setenv("GOPROXY", strings.Replace(url, "://", "://user:s3cret%2Fp%40ss@", 1))
		good(t)
	})
	const advice = "the server requires a password: for https, put it into ~/.netrc or the file that NETRC names"
	t.Run("missing", func(t *testing.T) {
		server(t)
		contains(t, fails(t, project(t, small(lib)), time.Minute), "401 Unauthorized", advice)
	})
	t.Run("wrong", func(t *testing.T) {
		netrc(t, server(t), password+"x")
		contains(t, fails(t, project(t, small(lib)), time.Minute), "401 Unauthorized", advice)
	})
	t.Run("wrong in GOPROXY", func(t *testing.T) {
		url := server(t)
		t.Setenv("GOPROXY", strings.Replace(url, "://", "://user:x-s3cret%2Fp%40ss@", 1))
		contains(t, fails(t, project(t, small(lib)), time.Minute), "401 Unauthorized", advice)
	})
}

// private makes a git repository with a module. It returns its directory, and a
// function that sets up the environment so that git looks for it below a URL.
func private(t *testing.T, lib *library, path string) (root string, environ func(url string)) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is missing")
	}
	root = t.TempDir()
	host, below, _ := strings.Cut(path, "/")
	work := project(t, map[string]string{"go.mod": "module " + path + "\n\ngo 1.24\n", "lib.go": "package lib\n"})
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", work},
		{"-C", work, "add", "."},
		{"-C", work, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "one"},
		{"-C", work, "tag", "v1.2.3"},
		{"clone", "-q", "--bare", work, filepath.Join(root, below)},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	return root, func(url string) {
		environment(t, lib.fileProxy())
		t.Setenv("GOPRIVATE", host)
		t.Setenv("GOSUMDB", "") // the default one, which private modules do not use
		t.Setenv("GONOSUMDB", host+",example.com")
		writeTest(t, os.Getenv("GIT_CONFIG_GLOBAL"), fmt.Sprintf("[url %q]\n\tinsteadOf = https://%s/\n[safe]\n\tdirectory = *\n", url+"/", host))
	}
}

// needsPrivate writes a project that needs the private module and a public one, with
// the go.sum that the go command makes.
func needsPrivate(t *testing.T, path string) string {
	t.Helper()
	dir := project(t, map[string]string{
		"go.mod":   "module example.com/app\n\ngo 1.24\n\n" + requirements(path+"@v1.2.3", "example.com/b@v1.0.0"),
		"main.go":  fmt.Sprintf("package main\n\nimport (\n\t_ \"example.com/b\"\n\t_ %q\n)\n\nfunc main() {}\n", path),
		"dgd.lock": "the old lock",
	})
	cmd := exec.Command("go", "mod", "tidy")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOMODCACHE="+filepath.Join(t.TempDir(), "modcache"), "GOFLAGS=-modcacherw")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go mod tidy: %v\n%s", err, out)
	}
	return dir
}

func checkPrivate(t *testing.T, dir, path string) {
	t.Helper()
	l := mustMake(t, dir)
	if len(l.Modules) != 2 || l.Modules[1].Path != path || l.Modules[1].Version != "v1.2.3" {
		t.Fatalf("got\n%s", l.Format())
	}
	goSum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if line := path + " v1.2.3 " + l.Modules[1].Sum + "\n"; err != nil || !strings.Contains(string(goSum), line) {
		t.Errorf("go.sum (%v) does not have %s", err, line)
	}
	checkClean(t, dir, l)
}

func TestGitByHTTPS(t *testing.T) {
	lib := published(t)
	const path = "github.com/team/lib"
	root, environ := private(t, lib, path)
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	s := serveTLS(t, guard(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}))
	environ(s.URL)
	netrc(t, s.URL, password)
	dir := needsPrivate(t, path)
	checkPrivate(t, dir, path)

	environ(s.URL)
	contains(t, fails(t, dir, time.Minute), path, "terminal prompts disabled", "the server requires a password: ")
	environ(s.URL)
	netrc(t, s.URL, password+"x")
	contains(t, fails(t, dir, time.Minute), path, "the server requires a password: ")
	// The password is in git's configuration, as on many CI machines.
	environ(strings.Replace(s.URL, "://", "://user:s3cret%2Fp%40ss@", 1))
	checkPrivate(t, dir, path)
	environ(strings.Replace(s.URL, "://", "://user:x-s3cret%2Fp%40ss@", 1))
	contains(t, fails(t, dir, time.Minute), path, "the server requires a password: ")
}

// In this test, ssh is a script that runs the remote command on this machine.
func TestGitBySSH(t *testing.T) {
	lib := published(t)
	const path = "git.example.com/team/lib.git"
	root, environ := private(t, lib, path)
	ssh := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\nfor command; do :; done\nexec sh -c \"$command\"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", ssh)
	url := "ssh://git@127.0.0.1" + root
	environ(url)
	dir := needsPrivate(t, path)
	checkPrivate(t, dir, path)

	environ(url)
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\necho 'git@127.0.0.1: Permission denied (publickey).' >&2\nexit 255\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	contains(t, fails(t, dir, time.Minute), path, "git cannot read its repository: see what `git ls-remote https://PATH` says", "for ssh, load the key")
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"https://u:p@host/x and ssh://git@host/": "https://host/x and ssh://host/",
		"http://u:p@a|http://b,http://p@c":       "http://a|http://b,http://c",
		"https://host/x@v1.0.0 y@z":              "https://host/x@v1.0.0 y@z",
		"https://u:p@ss@host/":                   "https://host/",
	} {
		if got := redact(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
