package build

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dgd/internal/testnix"
)

// shipped is a project with a third-party module and two packages: leaf imports base, and
// main imports both.
var shipped = map[string]string{
	"go.mod":       "module example.com/shipped\n\ngo 1.24\n\nrequire example.com/near v1.0.0\n\nreplace example.com/near => ./near\n",
	"main.go":      "package main\n\nimport (\n\t\"example.com/near\"\n\t\"example.com/shipped/base\"\n\t\"example.com/shipped/leaf\"\n)\n\nfunc main() { println(near.Text, base.Text(), leaf.Text()) }\n",
	"base/base.go": "package base\n\n//go:noinline\nfunc Text() string { return \"base SALT\" }\n",
	"leaf/leaf.go": "package leaf\n\nimport \"example.com/shipped/base\"\n\n//go:noinline\nfunc Text() string { return \"leaf \" + base.Text() }\n",
	"near/x.go":    "package near\n\nconst Text = \"near SALT\"\n",
	"near/go.mod":  "module example.com/near\n\ngo 1.24\n",
}

// shippedProject writes the project, and returns its directory and arguments with a
// vendorHash.
func shippedProject(t *testing.T) (src, args string) {
	t.Helper()
	files := map[string]string{}
	for name, text := range shipped {
		files[name] = salted(t, text)
	}
	src = project(t, files)
	return src, layersEnv + fmt.Sprintf("vendorHash = %q;", narHash(t, goVendor(t, files, nil)))
}

// With the paths that `dgd cache` prints in a binary cache, an empty store builds
// nothing, and after an edit only what the edit changes.
func TestBinaryCache(t *testing.T) {
	t.Parallel()
	builder := withTools(t)
	keys := t.TempDir()
	secret, public := filepath.Join(keys, "secret"), filepath.Join(keys, "public")
	builder.Run(t, "nix-store", "--generate-binary-cache-key", "cache.example.com-1", secret, public)
	builder.Configure("secret-key-files = " + secret)
	key, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src, args := shippedProject(t)
			// Its fetch needs a C compiler, which the store does not have.
			builder.Fill(t, here(t, "("+expression(t, function, src, args)+").goModules"))
			cacheable := "(" + expression(t, function, src, args) + ").cacheable"
			if r := nixBuildIn(t, builder, "-E", cacheable); r.err != nil {
				t.Fatalf("%v\n%s", r.err, tail(r.log))
			}
			made := buildIn(t, builder, function, src, args)
			dir := filepath.Join(t.TempDir(), "cache")
			publish(t, builder, cacheable, "file://"+dir+"?compression=none&secret-key="+secret)
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer server.Close()

			// Build the edited program, too.
			original, err := os.ReadFile(filepath.Join(src, "base/base.go"))
			if err != nil {
				t.Fatal(err)
			}
			edit(t, filepath.Join(src, "base/base.go"), `"base `, `"BASE `)
			edited := buildIn(t, builder, function, src, args)

			for transport, url := range map[string]string{"file": "file://" + dir, "http": server.URL} {
				t.Run(transport, func(t *testing.T) {
					write(t, filepath.Join(src, "base/base.go"), string(original))
					other := emptyStore(t)
					// Without the key, the input-addressed plan of IFD mode cannot be substituted. In
					// dynamic mode everything is content-addressed, which needs no signature.
					other.Configure("substituters = "+url, "require-sigs = true", "trusted-public-keys =", "max-jobs = 0")
					if mode == "ifd" {
						if r := nixBuildIn(t, other, "-E", expression(t, function, src, args)); r.err == nil {
							t.Error("it trusts a cache without a key")
						}
					}
					other.Configure("trusted-public-keys = "+string(key), "max-jobs = 4")
					r := buildIn(t, other, function, src, args)
					if len(r.built) > 0 || r.path != made.path {
						t.Errorf("it builds %q, and %s for %s", r.built, r.path, made.path)
					}
					edit(t, filepath.Join(src, "base/base.go"), `"base `, `"BASE `)
					r = buildIn(t, other, function, src, args)
					if want := []string{"example.com-shipped-base", "go-program", "program"}; !slices.Equal(r.compiled(), want) {
						t.Errorf("after an edit it builds %q, want %q", r.compiled(), want)
					}
					if slices.Contains(r.built, "plan") {
						t.Errorf("it plans again: %q", r.built)
					}
					if r.path != edited.path {
						t.Errorf("the edited program is %s, want %s", r.path, edited.path)
					}
					if out := r.run(t, "shipped"); !strings.Contains(out, "leaf BASE ") {
						t.Errorf("it prints %q", out)
					}
				})
			}
		})
	}
}

// publish copies the paths that `dgd cache` prints for a derivation in a store to a
// binary cache.
func publish(t *testing.T, st *testnix.Store, cacheable, to string) {
	t.Helper()
	drv := st.Run(t, "nix-instantiate", "-E", cacheable)
	names := st.Run(t, onDisk(tool(t, "dgd"))+"/bin/dgd", "cache", drv)
	copying := st.Command("nix", "copy", "--stdin", "--to", to)
	copying.Stdin = strings.NewReader(names)
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("nix copy: %v\n%s", err, out)
	}
}

// A remote builder, reached by SSH, builds a part of the inner derivations.
func TestRemoteBuilder(t *testing.T) {
	t.Parallel()
	remote := withTools(t)
	server := startSSH(t)
	server.serveNix(t, remote)
	local := warmStore(t)
	// One build at once is local, and two are remote. Derivations that require
	// recursive-nix, which plan in dynamic mode, are built locally.
	local.Configure("max-jobs = 1", "builders = "+server.builder(t, 2))
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, layers)
			want := build(t, function, src, layersEnv)
			cmd := local.Command("nix-build", "-E", expression(t, function, src, layersEnv), "--no-out-link")
			cmd.Env = append(cmd.Env, "NIX_SSHOPTS="+server.options, "PATH="+server.programs+":"+os.Getenv("PATH"))
			r := finish(t, cmd)
			r.root = local.Root
			if r.err != nil {
				t.Fatalf("%v\n%s\n%s", r.err, tail(r.log), server.log())
			}
			var there []string
			for _, m := range regexp.MustCompile(`(?m)^building '[^']*/[0-9a-z]{32}-(.+)\.drv' on 'ssh-ng:`).FindAllStringSubmatch(r.log, -1) {
				there = append(there, m[1])
			}
			if !slices.ContainsFunc(there, func(name string) bool { return strings.HasPrefix(name, "example.com-layers") }) {
				t.Errorf("of %q, the other machine builds %q", r.built, there)
			}
			if r.path != want.path {
				t.Errorf("it is %s, want %s", r.path, want.path)
			}
			if got, want := r.run(t, "layers"), want.run(t, "layers"); got != want {
				t.Errorf("it prints %q, want %q", got, want)
			}
		})
	}
}

// An sshServer accepts the key `user` in its directory.
type sshServer struct {
	dir      string
	programs string // the directory of SSH's programs
	port     int
	options  string // options for ssh
}

// startSSH starts an SSH server on loopback, with further lines of configuration.
func startSSH(t *testing.T, settings ...string) *sshServer {
	t.Helper()
	setup := exec.Command(filepath.Join(repo(t), "pkgs/setup/setup.sh"), "--sshd")
	setup.Stderr = os.Stderr
	out, err := setup.Output()
	if err != nil {
		t.Fatalf("the set-up of SSH: %v", err)
	}
	programs := strings.TrimSpace(string(out))
	s := &sshServer{dir: t.TempDir(), programs: programs, port: freePort(t)}
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command(programs+"/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, key)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	s.options = fmt.Sprintf("-F none -p %d", s.port)
	text := func(name string, lines ...string) string {
		file := filepath.Join(s.dir, name)
		write(t, file, strings.Join(lines, "\n")+"\n")
		return file
	}
	config := text("config", append([]string{
		fmt.Sprintf("ListenAddress 127.0.0.1:%d", s.port),
		"HostKey " + s.dir + "/host",
		"AuthorizedKeysFile " + s.dir + "/user.pub",
		"PidFile none",
		"UsePAM no",
		"StrictModes no",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"SshdSessionPath " + programs + "/sshd-session",
		"SshdAuthPath " + programs + "/sshd-auth",
	}, settings...)...)
	cmd := exec.Command(programs+"/sshd", "-D", "-e", "-f", config)
	if os.Geteuid() == 0 {
		// As root, sshd needs a user and a directory of its own, which it gets in a namespace.
		script := text("start",
			"set -e",
			"mount -t tmpfs tmpfs /run",
			"mkdir -m 755 /run/sshd",
			"{ cat /etc/passwd; echo sshd:x:65533:65533::/run/sshd:/usr/sbin/nologin; } > "+s.dir+"/passwd",
			"mount --bind "+s.dir+"/passwd /etc/passwd",
			`exec "$@"`,
		)
		cmd = exec.Command("unshare", append([]string{"--mount", "sh", script}, cmd.Args...)...)
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		log.Close()
	})
	for range 100 {
		if strings.Contains(s.log(), "listening on") {
			return s
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the SSH server does not start:\n%s", s.log())
	return nil
}

// serveNix makes the server run nix-daemon for a store.
func (s *sshServer) serveNix(t *testing.T, st *testnix.Store) {
	t.Helper()
	// A login does not have the environment of the test.
	daemon := []string{"#!/bin/sh"}
	for _, v := range st.Environ() {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "NIX_") || name == "PATH" || name == "XDG_CACHE_HOME" {
			daemon = append(daemon, fmt.Sprintf("export %s='%s'", name, strings.ReplaceAll(value, "'", `'\''`)))
		}
	}
	script := filepath.Join(s.dir, "nix-daemon")
	write(t, script, strings.Join(append(daemon, `exec nix-daemon "$@"`), "\n")+"\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
}

func (s *sshServer) log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(text)
}

// builder returns the server's line for Nix's setting `builders`.
func (s *sshServer) builder(t *testing.T, jobs int) string {
	t.Helper()
	host, err := os.ReadFile(filepath.Join(s.dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	system, err := exec.Command("nix-instantiate", "--eval", "--raw", "-E", "builtins.currentSystem").Output()
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("ssh-ng://%s@127.0.0.1?remote-program=%s/nix-daemon %s %s/user %d 1 ca-derivations - %s",
		me.Username, s.dir, system, s.dir, jobs, base64.StdEncoding.EncodeToString(bytes.TrimSpace(host)))
}

// freePort returns a port of loopback that is not in use.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
