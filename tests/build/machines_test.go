package build

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// shipped is a project that has a module, and packages of its own: leaf imports
// base, and main both.
var shipped = map[string]string{
	"go.mod":       "module example.com/shipped\n\ngo 1.24\n\nrequire example.com/near v1.0.0\n\nreplace example.com/near => ./near\n",
	"main.go":      "package main\n\nimport (\n\t\"example.com/near\"\n\t\"example.com/shipped/base\"\n\t\"example.com/shipped/leaf\"\n)\n\nfunc main() { println(near.Text, base.Text(), leaf.Text()) }\n",
	"base/base.go": "package base\n\n//go:noinline\nfunc Text() string { return \"base SALT\" }\n",
	"leaf/leaf.go": "package leaf\n\nimport \"example.com/shipped/base\"\n\n//go:noinline\nfunc Text() string { return \"leaf \" + base.Text() }\n",
	"near/x.go":    "package near\n\nconst Text = \"near SALT\"\n",
	"near/go.mod":  "module example.com/near\n\ngo 1.24\n",
}

// shippedProject is the project, with a vendorHash among its arguments.
func shippedProject(t *testing.T) (src, args string) {
	t.Helper()
	files := map[string]string{}
	for name, text := range shipped {
		files[name] = salted(t, text)
	}
	src = project(t, files)
	return src, layersEnv + fmt.Sprintf("vendorHash = %q;", narHash(t, goVendor(t, files, nil)))
}

// What dgd-plan names, in a binary cache, lets an empty store build nothing,
// and after an edit just what is edited, whatever else the edit leads to. All
// is signed, and what is not signed by a key that is trusted does not count.
func TestBinaryCache(t *testing.T) {
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
			// Its fetch needs a C compiler, which is not what this is about.
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

			// What the edited program is.
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
					other.Configure("substituters = "+url, "require-sigs = true", "trusted-public-keys =", "max-jobs = 0")
					if r := nixBuildIn(t, other, "-E", expression(t, function, src, args)); r.err == nil {
						t.Fatal("it trusts a cache without a key")
					}
					// Nix remembers what was not to be had.
					other.Configure("trusted-public-keys = "+string(key), "narinfo-cache-negative-ttl = 0", "max-jobs = 4")
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

// publish copies to a binary cache what dgd-plan names for a derivation, a Nix
// text, that is built in a store.
func publish(t *testing.T, st *testnix.Store, cacheable, to string) {
	t.Helper()
	drv := st.Run(t, "nix-instantiate", "-E", cacheable)
	names := st.Run(t, onDisk(tool(t, "dgd-plan"))+"/bin/dgd-plan", "cache", drv)
	copying := st.Command("nix", "copy", "--stdin", "--to", to)
	copying.Stdin = strings.NewReader(names)
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("nix copy: %v\n%s", err, out)
	}
}
