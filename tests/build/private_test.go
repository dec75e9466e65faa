package build

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dgd/internal/testnix"
)

// privateProxy returns an https proxy that requires a name and a password.
func privateProxy(t *testing.T, secret string) (p *proxy, env string) {
	p = newTLSProxy(t, lockedModules)
	p.let = knows(secret)
	ca := certificate(t, p.Server)
	return p, fmt.Sprintf("env = { CGO_ENABLED = \"0\"; GOPROXY = %q; GONOSUMDB = \"example.org\"; SSL_CERT_FILE = \"${%s}\"; %%s };", p.URL, ca)
}

// A fetch reads a secret from a file that is visible in the sandbox, and neither
// derivations nor outputs contain it.
func TestPrivateModules(t *testing.T) {
	testnix.Require(t)
	for name, modules := range map[string]string{
		"lock":   "modules = SRC/dgd.lock;",
		"vendor": "",
		"proxy":  "proxyVendor = true;",
	} {
		t.Run(name, func(t *testing.T) {
			secret := fmt.Sprintf("secret%d", time.Now().UnixNano())
			p, env := privateProxy(t, secret)
			src := p.project(t, "example.com/locked", lockedFiles, allLocked...)
			netrc := filepath.Join(openDir(t), "netrc")
			write(t, netrc, fmt.Sprintf("machine %s login somebody password %s\n", strings.TrimPrefix(p.URL, "https://"), secret))
			args := strings.ReplaceAll(modules, "SRC", src)
			hash := ""
			if !strings.Contains(args, "modules") {
				hash = `vendorHash = "";`
			}
			call := func(netrc string) string {
				return expression(t, "buildWithDynDrv", src, args+hash+fmt.Sprintf(env, netrc))
			}
			inSandbox := []string{"--option", "extra-sandbox-paths", netrc}

			r := nixBuild(t, "-E", call(""))
			if r.err == nil || !strings.Contains(r.log, "401 Unauthorized") {
				t.Fatalf("without the secret: %v\n%s", r.err, tail(r.log))
			}
			r = nixBuild(t, "-E", call(fmt.Sprintf("NETRC = %q;", netrc)))
			if want := "dgd: NETRC is " + netrc + ", which cannot be read in the sandbox"; r.err == nil || !strings.Contains(r.log, want) {
				t.Errorf("the message lacks %q: %v\n%s", want, r.err, tail(r.log))
			}
			// NETRC comes from the environment of the machine, as that of a daemon.
			t.Setenv("NETRC", netrc)
			if hash != "" {
				r = nixBuild(t, append([]string{"-E", call("")}, inSandbox...)...)
				hash = fmt.Sprintf("vendorHash = %q;", gotHash(t, r))
			}
			r = nixBuild(t, append([]string{"-E", call("")}, inSandbox...)...)
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, tail(r.log))
			}
			if got := r.run(t, "locked"); got != "a of b c one\n" {
				t.Errorf("it prints %q", got)
			}
			if strings.Contains(r.log, secret) {
				t.Error("the log has the secret")
			}
			checkSecret(t, secret, call(""))
		})
	}
}

// openDir returns a directory that the user of a sandbox can read.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func knows(secret string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		name, password, ok := r.BasicAuth()
		return ok && name == "somebody" && password == secret
	}
}

// certificate writes the certificate of a server and returns the file.
func certificate(t *testing.T, s *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	return file
}

// checkSecret checks that neither the derivations of a build nor the fetched modules
// contain a secret.
func checkSecret(t *testing.T, secret, expression string) {
	t.Helper()
	drvs, fetched := 0, 0
	for _, path := range strings.Fields(related(t, instantiate(t, expression), "--requisites", "--include-outputs")) {
		isFetch := regexp.MustCompile(`-v1\.[0-9.]+$|-go-modules$`).MatchString(path)
		if isFetch {
			fetched++
		} else if strings.HasSuffix(path, ".drv") {
			drvs++
		} else {
			continue
		}
		out, _ := exec.Command("grep", "-r", "-l", "-F", secret, onDisk(path)).Output()
		if len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("%s has the secret", out)
		}
	}
	if drvs == 0 || fetched == 0 {
		t.Errorf("the secret was looked for in %d derivations and %d fetches", drvs, fetched)
	}
}

// A module is fetched from a git server that requires a password, not from the proxy.
func TestPrivateGit(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	backend, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Skip("this test needs git")
	}
	p, root := gitModule(t)
	secret := fmt.Sprintf("secret%d", time.Now().UnixNano())
	git := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(backend)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !knows(secret)(r) {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(w, r)
	}))
	defer server.Close()
	dir := openDir(t)
	netrc, settings := filepath.Join(dir, "netrc"), filepath.Join(dir, "gitconfig")
	write(t, netrc, "machine 127.0.0.1 login somebody password "+secret+"\n")
	write(t, settings, fmt.Sprintf("[url %q]\n\tinsteadOf = https://github.com/\n", server.URL+"/"))
	src := p.project(t, "example.com/app", gitApp, gitPath+"@v1.2.3")
	call := func(netrc string) string {
		return expression(t, "buildWithIFD", src, fmt.Sprintf(
			`modules = %s/dgd.lock; env = { CGO_ENABLED = "0"; GOPROXY = "direct"; GOPRIVATE = "github.com/team"; SSL_CERT_FILE = "${%s}"; GIT_CONFIG_GLOBAL = %q; %s };`,
			src, certificate(t, server), settings, netrc))
	}
	inSandbox := []string{"--option", "extra-sandbox-paths", netrc + " " + settings}
	r := nixBuild(t, append([]string{"-E", call("")}, inSandbox...)...)
	if r.err == nil || !strings.Contains(r.log, "terminal prompts disabled") {
		t.Fatalf("without the secret: %v\n%s", r.err, tail(r.log))
	}
	let := call(fmt.Sprintf("NETRC = %q;", netrc))
	r = nixBuild(t, append([]string{"-E", let}, inSandbox...)...)
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, tail(r.log))
	}
	if got := r.run(t, "app"); !strings.HasPrefix(got, "TestPrivateGit") {
		t.Errorf("it prints %q", got)
	}
	if strings.Contains(r.log, secret) {
		t.Error("the log has the secret")
	}
	checkSecret(t, secret, let)
}

// gitPath is the path of a module in a git repository.
const gitPath = "github.com/team/lib"

// gitApp is a program that imports the module.
var gitApp = map[string]string{
	"main.go": "package main\n\nimport " + fmt.Sprintf("%q", gitPath) + "\n\nfunc main() { println(lib.Text) }\n",
}

// gitModule publishes version 1.2.3 of the module in the git repository root/team/lib.
// The proxy has it, too, for the checksums.
func gitModule(t *testing.T) (p *proxy, root string) {
	t.Helper()
	p = unstarted(t, map[string]map[string]string{gitPath + "@v1.2.3": {
		"go.mod": "module " + gitPath + "\n\ngo 1.24\n",
		"lib.go": "package lib\n\nconst Text = \"SALT\"\n",
	}})
	root = t.TempDir()
	work := p.tree(t, gitPath+"@v1.2.3")
	for _, args := range [][]string{
		{"-C", work, "init", "-q"},
		{"-C", work, "add", "."},
		{"-C", work, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "one"},
		{"-C", work, "tag", "v1.2.3"},
		{"clone", "-q", "--bare", work, filepath.Join(root, "team/lib")},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	return p, root
}

// A module is fetched by ssh from a git server that accepts a key.
func TestPrivateSSH(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("this test needs git")
	}
	p, root := gitModule(t)
	script := filepath.Join(t.TempDir(), "git")
	write(t, script, fmt.Sprintf("#!/bin/sh\nPATH=%q exec %q shell -c \"$SSH_ORIGINAL_COMMAND\"\n", os.Getenv("PATH"), git))
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	server := startSSH(t, "ForceCommand "+script)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}

	// The sandbox has this directory, and that of the test's ssh.
	shown := openDir(t)
	file := func(name string) string { return filepath.Join(shown, name) }
	host, err := os.ReadFile(filepath.Join(server.dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, file("known_hosts"), fmt.Sprintf("[127.0.0.1]:%d %s", server.port, host))
	write(t, file("gitconfig"), fmt.Sprintf("[url \"ssh://%s@127.0.0.1:%d%s/\"]\n\tinsteadOf = https://github.com/\n", me.Username, server.port, root))
	key, err := os.ReadFile(filepath.Join(server.dir, "user"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file("key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(server.programs+"/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file("wrong")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	inSandbox := []string{"--option", "extra-sandbox-paths", shown + " " + filepath.Dir(server.programs)}
	env := func(key, hosts string) string {
		return fmt.Sprintf(`env = { CGO_ENABLED = "0"; GOPROXY = "direct"; GOPRIVATE = "github.com/team"; GIT_CONFIG_GLOBAL = %q; GIT_SSH_COMMAND = %q; };`,
			file("gitconfig"), fmt.Sprintf("%s/ssh -F none -o BatchMode=yes -i %s -o UserKnownHostsFile=%s", server.programs, file(key), file(hosts)))
	}
	// The first lines are those of the public key.
	secret := strings.Split(string(key), "\n")[4]

	for name, modules := range map[string]string{"lock": "modules = %s/dgd.lock;", "vendor": ""} {
		t.Run(name, func(t *testing.T) {
			src := p.project(t, "example.com/app", gitApp, gitPath+"@v1.2.3")
			args := `vendorHash = "";`
			if modules != "" {
				args = fmt.Sprintf(modules, src)
			}
			call := func(key, hosts string) string {
				return expression(t, "buildWithIFD", src, args+env(key, hosts))
			}
			for _, wrong := range []struct{ key, hosts, want string }{
				{"wrong", "known_hosts", "127.0.0.1: Permission denied (publickey)."},
				{"missing", "known_hosts", "Identity file " + file("missing") + " not accessible"},
				{"key", "no_hosts", "Host key verification failed."},
			} {
				r := nixBuild(t, append([]string{"-E", call(wrong.key, wrong.hosts)}, inSandbox...)...)
				if r.err == nil || !strings.Contains(r.log, wrong.want) {
					t.Errorf("the message lacks %q: %v\n%s", wrong.want, r.err, tail(r.log))
				}
				if hint := "GOPROXY, NETRC and the like set the server and the credentials: see docs/modules.md"; modules != "" && !strings.Contains(r.log, hint) {
					t.Errorf("the message lacks %q:\n%s", hint, tail(r.log))
				}
			}
			if modules == "" {
				r := nixBuild(t, append([]string{"-E", call("key", "known_hosts")}, inSandbox...)...)
				args = fmt.Sprintf("vendorHash = %q;", gotHash(t, r))
			}
			r := nixBuild(t, append([]string{"-E", call("key", "known_hosts")}, inSandbox...)...)
			if r.err != nil {
				t.Fatalf("%v\n%s\n%s", r.err, tail(r.log), server.log())
			}
			if got := r.run(t, "app"); !strings.HasPrefix(got, "TestPrivateSSH") {
				t.Errorf("it prints %q", got)
			}
			if strings.Contains(r.log, secret) {
				t.Error("the log has the key")
			}
			checkSecret(t, secret, call("key", "known_hosts"))
		})
	}
}

// Faults of a proxy are errors that name the settings to change, and the next fetch, from a
// proxy that works, succeeds.
func TestProxyFaults(t *testing.T) {
	t.Parallel()
	const hint = "could not be fetched, see above; GOPROXY, NETRC and the like set the server and the credentials: see docs/modules.md"
	done := make(chan struct{})
	defer close(done)
	for name, test := range map[string]struct {
		zip  func(w http.ResponseWriter, r *http.Request) // if nil, the proxy is down
		want []string
	}{
		"down":     {nil, []string{"connection refused", hint}},
		"nonsense": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Log in</html>") }, []string{"not a valid zip file", hint}},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "PK")
		}, []string{"unexpected EOF", hint}},
		"failing": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no disk", http.StatusInternalServerError) }, []string{"500 Internal Server Error", hint}},
		"silent": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-done:
			}
		}, []string{"was not downloaded within 4s: try again, or set env.DGD_FETCH_TIMEOUT to more time"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, lockedModules)
			src := p.project(t, "example.com/locked", lockedFiles, allLocked...)
			env := p.env()
			if p.zip = test.zip; p.zip == nil {
				gone := httptest.NewServer(nil)
				gone.Close()
				env = strings.ReplaceAll(env, p.URL, gone.URL)
			}
			call := func(env string) string {
				return expression(t, "buildWithIFD", src, env+"modules = "+src+"/dgd.lock;")
			}
			r := nixBuild(t, "-E", call(strings.Replace(env, "env = {", `env = { DGD_FETCH_TIMEOUT = "4s";`, 1)))
			for _, want := range test.want {
				if r.err == nil || !strings.Contains(r.log, want) {
					t.Errorf("the message lacks %q: %v\n%s", want, r.err, tail(r.log))
				}
			}
			p.zip = nil
			if r := nixBuild(t, "-E", call(p.env())); r.err != nil {
				t.Errorf("afterwards: %v\n%s", r.err, tail(r.log))
			}
		})
	}
}
