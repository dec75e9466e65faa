package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fetchFiles is a module with another one in its sources, so that the fetch needs no
// network.
var fetchFiles = map[string]string{
	"go.mod":      "module example.com/m\n\ngo 1.24\n\nrequire example.com/near v1.0.0\n\nreplace example.com/near => ./near\n",
	"main.go":     "package main\n\nimport \"example.com/near\"\n\nfunc main() { println(near.Text) }\n",
	"near/x.go":   "package near\n\nconst Text = \"original\"\n",
	"near/go.mod": "module example.com/near\n\ngo 1.24\n",
	"fix.patch":   "--- a/near/x.go\n+++ b/near/x.go\n@@ -1,3 +1,3 @@\n package near\n \n-const Text = \"original\"\n+const Text = \"changed\"\n",
}

// goVendor runs `go mod vendor` on changed files, and returns the vendor directory.
func goVendor(t *testing.T, files map[string]string, change func(dir string)) string {
	t.Helper()
	dir := project(t, files)
	if change != nil {
		change(dir)
	}
	cmd := exec.Command("go", "mod", "vendor")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOSUMDB=off", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "vendor")
}

// narHash returns the NAR hash of a directory.
func narHash(t testing.TB, dir string) string {
	t.Helper()
	out, err := exec.Command("nix", "hash", "path", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// fetch returns the expression of the derivation that fetches modules.
func fetch(t *testing.T, src, args string) string {
	t.Helper()
	return fmt.Sprintf("(import %s/lib { pkgs = import <nixpkgs> { }; }).internal.vendor { src = %s; %s }", repo(t), src, strings.ReplaceAll(args, "SRC", src))
}

// The fetch takes the arguments of nixpkgs' buildGoModule: its output is the directory that
// `go mod vendor` writes after the same changes.
func TestFetch(t *testing.T) {
	t.Parallel()
	changed := func(dir string) { edit(t, filepath.Join(dir, "near/x.go"), "original", "changed") }
	const sed = `"sed -i s/original/changed/ near/x.go"`
	for _, test := range []struct {
		name, args string
		change     func(dir string)    // changes the sources
		after      func(vendor string) // changes the vendor directory
		below      string              // the directory of the module
		old        bool                // the sources have a vendor directory
	}{
		{name: "plain"},
		{name: "patches", args: `patches = [ "${SRC}/fix.patch" ];`, change: changed},
		{name: "patchFlags", args: `patches = [ "${SRC}/near/fix.patch" ]; patchFlags = [ "-p2" "-d" "near" ];`, change: changed},
		{name: "prePatch", args: "prePatch = " + sed + ";", change: changed},
		{name: "postPatch", args: "postPatch = " + sed + ";", change: changed},
		{name: "preBuild", args: "preBuild = " + sed + ";", change: changed},
		{name: "env", args: `env.WORD = "changed"; preBuild = "sed -i s/original/$WORD/ near/x.go";`, change: changed},
		{
			name: "modPostBuild", args: `modPostBuild = "echo more > vendor/more";`,
			after: func(vendor string) { write(t, filepath.Join(vendor, "more"), "more\n") },
		},
		{
			name: "modInstallPhase", args: `modInstallPhase = "mkdir $out; cp -r vendor/example.com $out; touch $out/modules.txt";`,
			after: func(vendor string) { write(t, filepath.Join(vendor, "modules.txt"), "") },
		},
		{name: "overrideModAttrs", args: `overrideModAttrs = old: { preBuild = ` + sed + ` + old.preBuild; };`, change: changed},
		{name: "further attributes", args: `modAttrs.postUnpack = "sed -i s/original/changed/ $sourceRoot/near/x.go";`, change: changed},
		{name: "nativeBuildInputs", args: `nativeBuildInputs = [ ((import <nixpkgs> { }).stdenvNoCC.mkDerivation { name = "tool"; buildCommand = "mkdir -p $out/bin; printf '#!/bin/sh\nsed -i s/original/changed/ near/x.go\n' > $out/bin/change; chmod +x $out/bin/change"; }) ]; preBuild = "change";`, change: changed},
		{name: "modRoot", args: `modRoot = "below";`, below: "below"},
		{name: "setSourceRoot", args: `setSourceRoot = "sourceRoot=$(echo */below)";`, below: "below"},
		{name: "deleteVendor", args: "deleteVendor = true;", old: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Files that are not in the store yet.
			files := map[string]string{}
			for name, text := range fetchFiles {
				files[name] = text
			}
			files["near/salt.txt"] = "SALT"
			files["near/fix.patch"] = fetchFiles["fix.patch"]
			for name, text := range files {
				files[name] = salted(t, text)
			}
			want := goVendor(t, files, test.change)
			if test.after != nil {
				test.after(want)
			}
			if test.old {
				files["vendor/modules.txt"] = "# old\n"
			}
			all := map[string]string{}
			for name, text := range files {
				all[filepath.Join(test.below, name)] = text
			}
			args := fmt.Sprintf("vendorHash = %q; %s", narHash(t, want), test.args)
			r := nixBuild(t, "-E", fetch(t, project(t, all), args))
			if r.err != nil {
				t.Errorf("it does not fetch what is in %s: %v\n%s", want, r.err, tail(r.log))
			}
		})
	}
}

// With proxyVendor, the fetch is the download cache of the go command.
func TestFetchArchives(t *testing.T) {
	t.Parallel()
	src := fmt.Sprintf(`((import %s { }).fetchGoModule {
		module = "github.com/kyleconroy/sqlc";
		version = "v1.13.0";
		hash = "sha256-EMcCFoqp1sF3LemD0KIsDNLqobCwlxRSjye4/igOCog=";
	})`, repo(t))
	// Proxies differ in the origin that they give for a version, and may change it: so the
	// test computes the hash of what the go command downloads now.
	dir := t.TempDir()
	cmd := exec.Command("go", "mod", "download")
	cmd.Dir = onDisk(here(t, src))
	cmd.Env = append(os.Environ(), "GOMODCACHE="+dir, "GOFLAGS=-modcacherw", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go mod download: %v\n%s", err, out)
	}
	downloads := filepath.Join(dir, "cache", "download")
	if err := os.RemoveAll(filepath.Join(downloads, "sumdb")); err != nil {
		t.Fatal(err)
	}
	hash, err := exec.Command("nix-hash", "--type", "sha256", "--sri", downloads).Output()
	if err != nil {
		t.Fatal(err)
	}
	r := nixBuild(t, "-E", fetch(t, src, fmt.Sprintf("proxyVendor = true; vendorHash = %q;", strings.TrimSpace(string(hash)))))
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, tail(r.log))
	}
	if _, err := os.Stat(onDisk(filepath.Join(r.path, "github.com/spf13/cobra/@v/v1.4.0.zip"))); err != nil {
		t.Error(err)
	}
}

// With proxyVendor, buildGoModule builds and tests in module mode.
func TestGoModuleArchives(t *testing.T) {
	t.Parallel()
	src := filepath.Join(repo(t), "examples/archives")
	for mode := range modes {
		t.Run(mode, func(t *testing.T) {
			r := nixBuild(t, "-E", goModule(t, mode, src, `pname = "archives"; version = "1"; env.CGO_ENABLED = 0; `+archivesArgs, ""))
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, tail(r.log))
			}
			if got := r.run(t, "archives"); !strings.HasPrefix(got, "Don't communicate") {
				t.Errorf("it prints %q", got)
			}
			info, err := exec.Command("go", "version", "-m", onDisk(filepath.Join(r.path, "bin/archives"))).Output()
			if want := "dep\trsc.io/quote\tv1.5.2\th1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y="; err != nil || !strings.Contains(string(info), want) {
				t.Errorf("the program does not list %s: %v\n%s", want, err, info)
			}
		})
	}
}
