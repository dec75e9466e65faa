package drvdiff

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const (
		plain   = `Derive([("out","","r:sha256",""),("x","/nix/store/x","","")],[("/nix/store/a.drv",["out","x"])],["/nix/store/s"],"x86_64-linux","/bin/sh",["-c","echo \"a\\n\"\n\t"],[("name","n"),("v","")])`
		dynamic = `DrvWithVersion("xp-dyn-drv",[],[("/nix/store/a.drv",["out"]),("/nix/store/p.drv",(["x"],[("out",["out","y"])]))],[],"","",[],[])`
	)
	for _, test := range []struct {
		text string
		want *Derivation
	}{
		{plain, &Derivation{
			Outputs: map[string]Output{"out": {"", "r:sha256", ""}, "x": {"/nix/store/x", "", ""}},
			Inputs:  map[string][]string{"/nix/store/a.drv": {"out", "x"}},
			Dynamic: map[string]map[string][]string{},
			Sources: []string{"/nix/store/s"},
			System:  "x86_64-linux", Builder: "/bin/sh", Args: []string{"-c", "echo \"a\\n\"\n\t"},
			Env: map[string]string{"name": "n", "v": ""},
		}},
		{dynamic, &Derivation{
			Outputs: map[string]Output{},
			Inputs:  map[string][]string{"/nix/store/a.drv": {"out"}, "/nix/store/p.drv": {"x"}},
			Dynamic: map[string]map[string][]string{"/nix/store/p.drv": {"out": {"out", "y"}}},
			Env:     map[string]string{},
		}},
	} {
		got, err := Parse(test.text)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s\n%+v, %v\nwant %+v", test.text, got, err, test.want)
		}
		// A text that breaks off is never a derivation.
		for i := range test.text {
			if _, err := Parse(test.text[:i]); err == nil {
				t.Errorf("no error for %s", test.text[:i])
			}
		}
	}
	for _, test := range []struct{ text, want string }{
		{"", "it begins in another way"},
		{`DrvWithVersion("xp-other",[],[],[],"","",[],[])`, "it begins in another way"},
		{plain + "\n", "there is more behind its end"},
		{`Derive([],[],[],"","",[])`, "6 parts, not 7"},
		{`Derive([("out")],[],[],"","",[],[])`, "an output has 1 parts, not 4"},
		{`Derive([],[("a")],[],"","",[],[])`, "an input has 1 parts, not 2"},
		{`Derive([],[("a","out")],[],"","",[],[])`, "a string where a list should be"},
		{`Derive([],[("a",(["out"],["x"]))],[],"","",[],[])`, "an output of an output has 0 parts, not 2"},
		{`Derive([],[],[],[],"",[],[])`, "a list where a string should be"},
		{`Derive([],[],[],"","",[],[("x")])`, "a variable has 1 parts, not 2"},
		{`Derive([],[],[],"","",[] [])`, "no comma at"},
		{`Derive([],[],[],1,"",[],[])`, "is neither a string nor a list"},
	} {
		if _, err := Parse(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", test.text, err, test.want)
		}
	}
}
