package build

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// nixStore runs nix-store and returns the lines that it prints.
func nixStore(t testing.TB, args ...string) []string {
	t.Helper()
	out, err := exec.Command("nix-store", args...).Output()
	if err != nil {
		t.Fatalf("nix-store %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

// No compiled output refers to or contains the name of the toolchain, the sources or
// build directories, and the program refers to no store path.
func TestReferences(t *testing.T) {
	t.Parallel()
	src := project(t, layers)
	r := build(t, "buildWithIFD", src, layersEnv)
	if refs := nixStore(t, "--query", "--references", r.path); len(refs) > 0 {
		t.Errorf("the program refers to %q", refs)
	}
	inner := 0
	for _, drv := range resolved(r.log) {
		for _, out := range nixStore(t, "--realise", drv) {
			inner++
			if refs := nixStore(t, "--query", "--references", out); len(refs) > 0 {
				t.Errorf("%s refers to %q", out, refs)
			}
			checkContents(t, out)
		}
	}
	if inner < 8 {
		t.Errorf("looked at %d outputs only", inner)
	}
}

// resolved returns the .drv paths that were built, from a log.
func resolved(log string) []string {
	var list []string
	for line := range strings.Lines(log) {
		if rest, ok := strings.CutPrefix(line, "building '"); ok {
			drv, _, _ := strings.Cut(rest, "'")
			name := strings.TrimSuffix(drv[len("/nix/store/")+33:], ".drv")
			if strings.HasPrefix(name, "example.com-") || name == "program" || name == "go-program" {
				list = append(list, drv)
			}
		}
	}
	return list
}

func checkContents(t *testing.T, path string) {
	t.Helper()
	err := filepath.WalkDir(onDisk(path), func(file string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, leak := range []string{"/build/", "/nix/store/"} {
			if i := bytes.Index(data, []byte(leak)); i >= 0 {
				t.Errorf("%s contains %q", file, data[i:min(i+80, len(data))])
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A program that contains the path of the toolchain is an error, wherever the path comes
// from, unless allowGoReference is set.
func TestToolchainEmbedded(t *testing.T) {
	t.Parallel()
	dir := project(t, plain)
	src := func(commands string) string {
		return `(
			let pkgs = import <nixpkgs> { }; in
			pkgs.stdenvNoCC.mkDerivation {
				name = "src";
				buildCommand = "mkdir -p $out/lib; cp ${` + dir + `}/go.mod $out; cd $out; ` + commands + `";
			}
		)`
	}
	const mainOf = `echo 'package main; import \"example.com/plain/lib\"; func main() { println(lib.Go) }' > main.go; `
	literal := src(`echo 'package main; func main() { println(\"${pkgs.go}\") }' > main.go`)
	for name, src := range map[string]string{
		"literal":  literal,
		"package":  src(mainOf + `echo 'package lib; var Go = \"${pkgs.go}/bin\"' > lib/lib.go`),
		"constant": src(mainOf + `echo 'package lib; const Go = \"${pkgs.go}\"' > lib/lib.go`),
		"embedded": src(mainOf + `printf 'package lib\nimport _ \"embed\"\n//go:embed go.txt\nvar Go string\n' > lib/lib.go; echo ${pkgs.go} > lib/go.txt`),
	} {
		for mode, function := range modes {
			for _, addressed := range []string{"", "contentAddressed = false;"} {
				if addressed != "" && name != "literal" {
					continue
				}
				t.Run(name+"/"+mode+addressed, func(t *testing.T) {
					r := nixBuild(t, "-E", expression(t, function, src, layersEnv+addressed))
					if r.err == nil {
						t.Fatal("it builds")
					}
					if !strings.Contains(r.log, "not allowed to refer to") {
						t.Errorf("the message says something else:\n%s", r.log)
					}
				})
			}
		}
	}
	t.Run("buildGoModule", func(t *testing.T) {
		r := nixBuild(t, "-E", expression(t, "buildGoModule", literal, `pname = "plain"; version = "1"; vendorHash = null; env.CGO_ENABLED = 0;`))
		if r.err == nil || !strings.Contains(r.log, "not allowed to refer to") {
			t.Errorf("%v\n%s", r.err, r.log)
		}
	})
	t.Run("allowGoReference", func(t *testing.T) {
		r := build(t, "buildWithIFD", literal, layersEnv+"allowGoReference = true;")
		refs := nixStore(t, "--query", "--references", r.path)
		if !slices.ContainsFunc(refs, func(ref string) bool { return strings.Contains(ref, "-go-1.") }) {
			t.Errorf("the program refers to %q", refs)
		}
	})
}

// With input-addressed derivations both modes build the same bytes.
func TestInputAddressed(t *testing.T) {
	t.Parallel()
	src := project(t, layers)
	var programs [][]byte
	for _, args := range []string{"", "contentAddressed = false;"} {
		for _, function := range []string{"buildWithIFD", "buildWithDynDrv"} {
			r := build(t, function, src, layersEnv+args)
			data, err := os.ReadFile(onDisk(filepath.Join(r.path, "bin/layers")))
			if err != nil {
				t.Fatal(err)
			}
			programs = append(programs, data)
		}
	}
	for _, p := range programs[1:] {
		if !bytes.Equal(p, programs[0]) {
			t.Error("the programs differ")
		}
	}
}

// A package of either mode can be used as any derivation: as an input of another one, in
// a list, and in a string.
func TestPackageAsInput(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, layers)
			r := nixBuild(t, "-E", `
				let
					pkgs = import <nixpkgs> { };
					package = `+expression(t, function, src, layersEnv)+`;
				in
				pkgs.stdenvNoCC.mkDerivation {
					name = "user";
					nativeBuildInputs = [ package ];
					buildCommand = "layers > $out 2>&1; ${package}/bin/layers >> $out";
				}`)
			if r.err != nil {
				t.Fatalf("%v\n%s", r.err, r.log)
			}
			text, err := os.ReadFile(onDisk(r.path))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "mid "); n != 2 {
				t.Errorf("the program ran %d times:\n%s", n, text)
			}
		})
	}
}

// subPackage may be the import path of a program in another module.
func TestProgramOfDependency(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"go.mod":             "module example.com/user\n\ngo 1.24\n\nrequire example.org/tool v1.0.0\n",
		"user.go":            "//go:build tools\n\npackage user\n\nimport _ \"example.org/tool/cmd/say\"\n",
		"vendor/modules.txt": "# example.org/tool v1.0.0\n## explicit; go 1.24\nexample.org/tool/cmd/say\n",
		"vendor/example.org/tool/cmd/say/main.go": "package main\n\nfunc main() { println(\"SALT\") }\n",
	}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			r := build(t, function, project(t, files), layersEnv+`subPackage = "example.org/tool/cmd/say";`)
			if out := r.run(t, "say"); !strings.Contains(out, t.Name()) && !strings.Contains(out, "TestProgramOfDependency") {
				t.Errorf("prints %q", out)
			}
		})
	}
}

// File names with characters that are special to a shell work.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"go.mod":              "module example.com/hostile\n\ngo 1.24\n",
		"main.go":             "package main\n\nimport _ \"embed\"\n\nvar sum int\n\n//go:embed \"in dir/its text.txt\"\nvar text string\n\nfunc main() { println(sum, text) }\n",
		"in dir/its text.txt": "embedded SALT",
	}
	for i, name := range []string{"a&b.go", "x#y.go", "e'f.go", "g|h.go", "i`j`.go", "c$(id).go", "with space.go", "semi;colon.go", "p(aren).go", "f-lag\\.go", "ümlaut.go", "a=b.go", "new\nline.go", "a\nEOF\n.go", "double\"quote.go"} {
		files[name] = "package main\n\nfunc init() { sum += 1 << " + string(rune('a'+i)) + " }\n\nconst " + string(rune('a'+i)) + " = " + strconv.Itoa(i) + "\n"
	}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			r := build(t, function, project(t, files), layersEnv)
			if out := r.run(t, "hostile"); !strings.HasPrefix(out, "32767 embedded ") {
				t.Errorf("prints %q", out)
			}
		})
	}
}

// Texts that look like placeholders, and bytes that a derivation cannot contain, get into
// the program unchanged.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("nix-instantiate", "--eval", "--raw", "-E", `builtins.placeholder "out"`).Output()
	if err != nil {
		t.Fatal(err)
	}
	placeholder := string(out)
	texts := []string{placeholder, placeholder + "/bin", "\xff", "${out} ${SRC} $$ $(id) ''${x} \\n \t\r"}
	files := map[string]string{"go.mod": "module example.com/hostile\n\ngo 1.24\n"}
	imports, calls, want := "", "", ""
	for i, text := range texts {
		name := "p" + strconv.Itoa(i)
		// The text is in an embedded file: Go drops carriage returns from raw strings.
		files[name+"/text"] = text
		files[name+"/p.go"] = "package " + name + "\n\nimport _ \"embed\"\n\n//go:embed text\nvar Text string\n"
		imports += "\t\"example.com/hostile/" + name + "\"\n"
		calls += "\tprintln(" + name + ".Text)\n"
		want += text + "\n"
	}
	files["main.go"] = "package main\n\nimport (\n" + imports + ")\n\nfunc main() {\n" + calls + "\tprintln(`" + placeholder + "`)\n} // SALT\n"
	want += placeholder + "\n"
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			r := build(t, function, project(t, files), layersEnv)
			if out := r.run(t, "hostile"); out != want {
				t.Errorf("prints %q, want %q", out, want)
			}
		})
	}
}

// After a build was killed, the next one succeeds.
func TestKilled(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			warmUp(t, layersEnv)
			src := project(t, layers)
			cmd := exec.Command("nix-build", "--no-out-link", "-E", expression(t, function, src, layersEnv))
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// Kill it while the first package is compiled.
			var log []byte
			buf := make([]byte, 4096)
			for !bytes.Contains(log, []byte("-example.com-layers-base.drv'...\n")) {
				n, err := stderr.Read(buf)
				log = append(log, buf[:n]...)
				if err != nil {
					t.Fatalf("it ended by itself:\n%s", log)
				}
			}
			cmd.Process.Kill()
			cmd.Wait()
			r := build(t, function, src, layersEnv)
			if out := r.run(t, "layers"); !strings.Contains(out, "base ") {
				t.Errorf("prints %q", out)
			}
		})
	}
}

// A source file that is a symlink to another place in src is compiled.
func TestSymbolicLink(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, map[string]string{
				"go.mod":             "module example.com/linked\n\ngo 1.24\n",
				"main.go":            "package main\n\nimport \"example.com/linked/lib\"\n\nfunc main() { println(lib.Text) }\n",
				"shared/text.go.src": "package lib\n\nconst Text = \"linked SALT\"\n",
				"lib/lib.go":         "package lib\n",
			})
			if err := os.Symlink("../shared/text.go.src", filepath.Join(src, "lib/text.go")); err != nil {
				t.Fatal(err)
			}
			r := build(t, function, src, layersEnv)
			if out := r.run(t, "linked"); !strings.HasPrefix(out, "linked ") {
				t.Errorf("prints %q", out)
			}
		})
	}
}
