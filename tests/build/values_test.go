package build

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// Evaluation replaces the values of -X in the same way as the planner.
func TestLinkValues(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	text, err := os.ReadFile("../../internal/goflags/testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	type hidden struct {
		Hidden string   `json:"hidden"`
		Values []string `json:"values"`
	}
	var cases []struct {
		hidden
		Ldflags string `json:"ldflags"`
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	expression := fmt.Sprintf(`map (c: import %[1]s/lib/stages/link-values.nix c.ldflags)
		(builtins.fromJSON (builtins.readFile %[1]s/internal/goflags/testdata/values.json))`, repo(t))
	out, err := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "-E", expression).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var got []hidden
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if got[i].Hidden != c.Hidden || !slices.Equal(got[i].Values, c.Values) {
			t.Errorf("%q: got %q, want %q", c.Ldflags, got[i], c.hidden)
		}
	}
}

// versioned is a project with variables that -X sets, in a program and in a package with a
// test.
var versioned = map[string]string{
	"go.mod":       "module example.com/versioned\n\ngo 1.24\n",
	"main.go":      "package main\n\nimport \"example.com/versioned/info\"\n\nvar (\n\trev, note string\n\tsalt = \"SALT\"\n)\n\nfunc main() { print(rev, \"|\", note, \"|\", info.Version, \"|\", salt != \"\") }\n",
	"info/info.go": "package info\n\nvar Version, quote = \"none\", \"SALT\"\n",
	"info/x_test.go": `package info

import "testing"

func TestVersion(t *testing.T) {
	t.Parallel()
	if Version == "none" || quote == "" {
		t.Error("nobody has told the version")
	}
}
`,
}

// Another value for -X links the program again and builds nothing else.
func TestLinkAgain(t *testing.T) {
	t.Parallel()
	link := []string{"go-program", "program"}
	for _, test := range []struct {
		name    string
		ldflags string // the elements of ldflags
		built   []string
		prints  func(rev string) string
	}{
		{
			name:    "a revision",
			ldflags: `"-s" "-X main.rev=REV"`,
			built:   link,
			prints:  func(rev string) string { return rev + "||none|true" },
		},
		{
			name:    "several values",
			ldflags: `"-X main.rev=first" "-X=main.rev=REV" "-X 'main.note=two REV $HOME'" "-X" "example.com/versioned/info.Version=it's=REV"`,
			built:   link,
			prints:  func(rev string) string { return rev + "|two " + rev + " $HOME|it's=" + rev + "|true" },
		},
		{
			name:    "flags of all packages",
			ldflags: `"all=-w" "-X=main.rev=REV"`,
			built:   link,
			prints:  func(rev string) string { return rev + "||none|true" },
		},
	} {
		for mode, function := range modes {
			t.Run(test.name+"/"+mode, func(t *testing.T) {
				src := project(t, versioned)
				for i, rev := range []string{"r1", "r2.3+dirty"} {
					flags := strings.ReplaceAll(test.ldflags, "REV", rev)
					r := build(t, function, src, layersEnv+"ldflags = [ "+flags+" ];")
					if got := r.run(t, "versioned"); got != test.prints(rev) {
						t.Errorf("prints %q, want %q", got, test.prints(rev))
					}
					if i == 0 {
						continue
					}
					if got := r.compiled(); !slices.Equal(got, slices.Sorted(slices.Values(test.built))) {
						t.Errorf("another revision built %q, want %q", got, test.built)
					}
					for _, name := range []string{"plan", "test-plan", "std-plan", "skeleton", "test-skeleton", "modules"} {
						if slices.Contains(r.built, name) {
							t.Errorf("another revision built %s", name)
						}
					}
					words := strings.ReplaceAll(strings.Trim(flags, `"`), `" "`, " ")
					want := goProgram(t, src, ".", words+" -buildid=", "CGO_ENABLED=0")
					if fileText(t, filepath.Join(r.root+r.path, "bin/versioned")) != fileText(t, want) {
						t.Error("it is not what go build makes")
					}
				}
			})
		}
	}
}

// Values in flags that a hook adds are filled in at the link, too.
func TestHookLinksAgain(t *testing.T) {
	t.Parallel()
	for mode := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, versioned)
			// The settings of another run of this test are in the store.
			note := salted(t, "a note, SALT")
			for i, rev := range []string{"r1", "r2"} {
				write(t, filepath.Join(src, "REV"), rev)
				args := named + unstripped + fmt.Sprintf(`preBuild = "ldflags+=\" -X 'main.note=%s' -X=main.rev=$(cat REV)\"; rm REV";`, note)
				r := nixBuild(t, "-E", goModule(t, mode, src, args, ""))
				if r.err != nil {
					t.Fatalf("%v\n%s", r.err, r.log)
				}
				if got, want := r.run(t, "versioned"), rev+"|"+note+"|none|true"; got != want {
					t.Errorf("prints %q, want %q", got, want)
				}
				equalsGo(t, filepath.Join(r.root+r.path, "bin/versioned"), src, "-X 'main.note="+note+"' -X=main.rev="+rev)
				if i > 0 && (slices.Contains(r.built, "plan") || !slices.Contains(r.built, "settings")) {
					t.Errorf("another revision built %q", r.built)
				}
			}
		})
	}
}
