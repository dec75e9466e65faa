package build

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// What a lock and the sources do not agree on is what internal/lock finds.
func TestLockCheck(t *testing.T) {
	testnix.Require(t)
	text, err := os.ReadFile(filepath.Join(repo(t), "internal/lock/testdata/check.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name           string
		GoMods, GoSums []string
		GoWork         *string
		Lock           json.RawMessage
		Findings       []string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, c := range cases {
		src := filepath.Join(dir, fmt.Sprint(i))
		write(t, filepath.Join(src, "dgd.lock"), strings.TrimSpace(string(c.Lock))+"\n")
		places := []string{"."}
		if c.GoWork != nil {
			write(t, filepath.Join(src, "go.work"), *c.GoWork)
			places = []string{"one", "two"}
		}
		for i, text := range c.GoMods {
			write(t, filepath.Join(src, places[i], "go.mod"), text)
		}
		for i, text := range c.GoSums {
			if i < len(places) {
				write(t, filepath.Join(src, places[i], "go.sum"), text)
			} else {
				write(t, filepath.Join(src, "go.work.sum"), text)
			}
		}
	}
	expression := fmt.Sprintf(`
		let lock = import %[1]s/lib/lock.nix; mods = import %[1]s/lib/mod-files.nix;
		in builtins.genList (i:
			let src = "%[2]s/${toString i}";
			in lock.check (mods.project { inherit src; modRoot = "."; env = { }; }) (lock.read throw "${src}/dgd.lock")
		) %[3]d`, repo(t), dir, len(cases))
	out, err := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "-E", expression).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var got [][]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if got, want := strings.Join(got[i], "\n"), strings.Join(c.Findings, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.Name, got, want)
		}
	}
}
