package build

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// A plan is for one value of each argument that it depends on: another value is an error,
// whose message TestPlanErrors checks. Other arguments do not change what is built. Each
// argument of the library has a row here.
func TestPlanArguments(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	// By argument, values with the expected result: an error, or the same program.
	shared := map[string][][2]string{
		"allowGoReference":  {{`true`, "error"}},
		"buildInputs":       {{`[ pkgs.zlib ]`, "same"}},
		"checkFlags":        {{`[ "-short" ]`, "same"}},
		"deleteVendor":      {{`true`, "same"}},
		"env":               {}, // below
		"fallback":          {{`false`, "same"}},
		"gcflags":           {{`[ "-N" ]`, "error"}},
		"GOFLAGS":           {{`[ "-cover" ]`, "error"}},
		"granularity":       {{`"package"`, "error"}},
		"ldflags":           {{`[ "-s" ]`, "error"}},
		"meta":              {{`{ description = "x"; }`, "same"}},
		"modRoot":           {{`"mid"`, "error"}},
		"modules":           {{`LOCK`, "error"}},
		"name":              {{`"other"`, "same"}},
		"nativeBuildInputs": {{`[ pkgs.bash ]`, "same"}},
		"nativeCheckInputs": {{`[ pkgs.bash ]`, "same"}},
		"passthru":          {{`{ x = 1; }`, "same"}},
		"proxyVendor":       {{`true`, "same"}},
		"subPackages":       {{`[ "./mid" ]`, "error"}},
		"tags":              {{`[ "x" ]`, "error"}},
		"testData":          {{`[ "mid" ]`, "same"}},
		"vendorHash":        {{`"sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="`, "error"}},
		// Other tests cover these: the sources, the plan itself, and arguments that need experimental features.
		"contentAddressed": {}, "plan": {}, "src": {},
	}
	for _, v := range []string{`GOAMD64 = "v3"`, `GOEXPERIMENT = "jsonv2"`, `CGO_CFLAGS = "-O3"`, `CC = "clang"`, `GOWORK = "off"`, `GODEBUG = "x=1"`, `OTHER = "x"`} {
		shared["env"] = append(shared["env"], [2]string{`{ CGO_ENABLED = "0"; ` + v + `; }`, "error"})
	}
	shared["env"] = append(shared["env"], [][2]string{
		{`{ CGO_ENABLED = "1"; }`, "error"},
		{`{ CGO_ENABLED = "0"; GOARCH = "riscv64"; }`, "error"},
		{`{ CGO_ENABLED = "0"; GOOS = "windows"; }`, "error"},
	}...)
	builders := withRows(shared, map[string][][2]string{
		"doCheck":      {{`true`, "error"}},
		"go":           {{`pkgs.go // { version = "1.99"; }`, "error"}, {`removeAttrs pkgs.go [ "version" ]`, "same"}},
		"innerNix":     {{`1`, "same"}},
		"pkgs":         {{`pkgs`, "same"}},
		"subPackage":   {{`"mid"`, "error"}},
		"testPackages": {{`[ "./mid" ]`, "same"}},
	})
	goModule := withRows(shared, map[string][][2]string{
		"buildTestBinaries":      {{`true`, "same"}},
		"doCheck":                {{`true`, "same"}},
		"enableParallelBuilding": {{`false`, "same"}},
		"excludedPackages":       {{`[ "mid" ]`, "error"}},
		"goSum":                  {{`LOCK`, "same"}},
		"nativeBuildInputs":      {{`[ pkgs.zlib ]`, "error"}},
		"overrideModAttrs":       {{`{ }`, "same"}},
		"patches":                {{`[ LOCK ]`, "error"}},
		"pname":                  {{`"other"`, "same"}},
		"sourceRoot":             {{`"mid"`, "error"}},
		"useDynDrv":              {{`true`, "error"}},
		"version":                {{`"2"`, "same"}},
	})
	for _, hook := range []string{"prePatch", "postPatch", "preBuild"} {
		goModule[hook] = [][2]string{{`"true"`, "error"}}
	}
	for _, hook := range []string{"postBuild", "preCheck", "postCheck", "preInstall", "postInstall"} {
		goModule[hook] = [][2]string{{`"true"`, "same"}}
	}
	for _, test := range []struct {
		builder, table, given, program string
		flags                          []string
		rows                           map[string][][2]string
	}{
		{"buildWithIFD", "builders", "", "program", []string{"--builder", "buildWithIFD"}, builders},
		{"buildGoModule", "buildGoModule", `pname = "p"; version = "1"; vendorHash = null; doCheck = false;`, "dgd.program", nil, goModule},
	} {
		t.Run(test.builder, func(t *testing.T) {
			src := project(t, layers)
			writePlan(t, dgd, src, append(test.flags, "--cgo=false")...)
			lock := filepath.Join(t.TempDir(), "dgd.lock")
			write(t, lock, `{ "version": 1, "main": [ "example.com/layers" ], "modules": [ ] }`+"\n")
			known, err := evaluated("builtins.concatStringsSep \" \" (builtins.attrNames (import " + repo(t) + "/lib/arguments.nix { pkgs = { }; })." + test.table + ")")
			if err != nil {
				t.Fatal(known)
			}
			if rows := slices.Sorted(maps.Keys(test.rows)); strings.Trim(known, `"`) != strings.Join(rows, " ") {
				t.Errorf("the arguments are %s, and there are rows for %q", known, rows)
			}
			common := fmt.Sprintf("let pkgs = import <nixpkgs> { }; call = more: (import %s { inherit pkgs; }).%s ({ src = %s; plan = %[3]s/dgd.plan; contentAddressed = false; env.CGO_ENABLED = \"0\"; %s } // more); in ", repo(t), test.builder, src, test.given)
			var rows []string
			want := map[string]string{}
			for _, name := range slices.Sorted(maps.Keys(test.rows)) {
				for _, row := range test.rows[name] {
					value := strings.ReplaceAll(row[0], "LOCK", lock)
					rows = append(rows, fmt.Sprintf("{ %s = %s; }", name, value))
					want[rows[len(rows)-1]] = row[1]
				}
			}
			// Evaluate the package, too.
			out, err := evaluated(common + "builtins.toJSON (map (more: builtins.tryEval (builtins.seq (call more).drvPath (call more)." + test.program + ".drvPath)) [ { } " + strings.Join(rows, " ") + " ])")
			if err != nil {
				t.Fatal(out)
			}
			out = out[strings.LastIndexByte(out, '\n')+1:] // behind Nix's warnings
			var text string
			var got []struct {
				Success bool
				Value   any
			}
			if err := json.Unmarshal([]byte(out), &text); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil || !got[0].Success {
				t.Fatalf("%v: %s", err, text)
			}
			for i, more := range rows {
				switch program := got[i+1]; {
				case want[more] == "same" && (!program.Success || program.Value != got[0].Value):
					t.Errorf("with %s the program is %v, not %v", more, program, got[0])
				case want[more] == "error" && program.Success:
					t.Errorf("with %s the program is %v, and not an error", more, program)
				}
			}
		})
	}
}

// withRows returns the rows of both maps. Those of more take precedence.
func withRows(rows, more map[string][][2]string) map[string][][2]string {
	all := maps.Clone(rows)
	maps.Copy(all, more)
	return all
}
