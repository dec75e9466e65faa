package nix

import (
	"os"
	"path/filepath"
	"testing"

	"dgd/internal/nix/ownstore"
)

func TestEventLog(t *testing.T) {
	log := &eventLog{stop: map[uint64]func(){}}
	const text = `warning: something
@nix {"action":"start","id":7,"level":3,"fields":["/nix/store/751hv45h2ydv7jqgwnmaz5wkgcfdq98z-example.com-a.drv","",1,1],"type":105}
@nix {"action":"start","id":8,"level":3,"fields":["/nix/store/751hv45h2ydv7jqgwnmaz5wkgcfdq98z-program.drv.drv","",1,1],"type":105}
@nix {"action":"start","id":9,"level":6,"parent":0,"text":"querying","type":0}
@nix {"action":"stop","id":9}
@nix {"action":"msg","level":0,"msg":"error: no"}
@nix {"action":"stop","id":8}
@nix {"action":"stop","id":7}
`
	for i := range text { // byte by byte: lines come in pieces
		if _, err := log.Write([]byte{text[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if len(log.built) != 2 || log.built[0].Name != "program.drv" || log.built[1].Name != "example.com-a" {
		t.Errorf("built %v", log.built)
	}
	if got := log.messages.String(); got != "warning: something\nerror: no\n" {
		t.Errorf("messages %q", got)
	}
}

func TestClone(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	for name, text := range map[string]string{"nix/store/x-a/bin/a": "program", "nix/var/nix/db/db.sqlite": "data"} {
		file := filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("bin/a", filepath.Join(from, "nix/store/x-a/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(from, "nix/store/x-a"), 0o555); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "to")
	s, err := (&Store{Store: ownstore.Store{Root: from}}).Clone(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	same := func(name string) bool {
		a, err := os.Stat(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.Stat(filepath.Join(to, name))
		if err != nil {
			t.Fatal(err)
		}
		return os.SameFile(a, b)
	}
	if !same("nix/store/x-a/bin/a") || same("nix/var/nix/db/db.sqlite") {
		t.Error("the store's files have to be links, the database a copy")
	}
	if text, err := os.ReadFile(s.Path("/nix/store/x-a/link")); err != nil || string(text) != "program" {
		t.Errorf("the link reads %q, %v", text, err)
	}
	for _, root := range []string{to, from} {
		if err := ownstore.Remove(root); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(root); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", root, err)
		}
	}
}
