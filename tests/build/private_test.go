package build

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dgd/internal/testnix"
)

// A private proxy asks for a name and a password, by https.
func privateProxy(t *testing.T, secret string) (p *proxy, env string) {
	p = newTLSProxy(t, lockedModules)
	p.let = func(r *http.Request) bool {
		name, password, ok := r.BasicAuth()
		return ok && name == "somebody" && password == secret
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})))
	return p, fmt.Sprintf("env = { CGO_ENABLED = \"0\"; GOPROXY = %q; GONOSUMDB = \"example.org\"; SSL_CERT_FILE = \"${%s}\"; %%s };", p.URL, ca)
}

// A secret reaches a fetch by a file that the sandbox shows, and stays there.
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
			dir := t.TempDir() // a sandbox's user has to get there
			for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
				if err := os.Chmod(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			netrc := filepath.Join(dir, "netrc")
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
			// The name by the machine's environment, as a daemon has it.
			t.Setenv("NETRC", netrc)
			if hash != "" {
				r = nixBuild(t, append([]string{"-E", call("")}, inSandbox...)...)
				_, got, _ := strings.Cut(r.log, "got:")
				got, _, _ = strings.Cut(strings.TrimSpace(got), "\n")
				hash = fmt.Sprintf("vendorHash = %q;", got)
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
			drv, err := exec.Command("nix-instantiate", "-E", call("")).Output()
			if err != nil {
				t.Fatal(err)
			}
			paths, err := exec.Command("nix-store", "--query", "--requisites", "--include-outputs", strings.TrimSpace(string(drv))).Output()
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			for _, path := range strings.Fields(string(paths)) {
				if !strings.Contains(path, "example.org") && !strings.HasSuffix(path, ".drv") && !strings.Contains(path, "modules") {
					continue
				}
				checked++
				out, _ := exec.Command("grep", "-r", "-l", "-F", secret, onDisk(path)).Output()
				if len(bytes.TrimSpace(out)) > 0 {
					t.Errorf("%s has the secret", out)
				}
			}
			if checked < 5 {
				t.Errorf("only %d paths were looked at", checked)
			}
		})
	}
}
