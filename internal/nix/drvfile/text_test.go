package drvfile

import (
	"reflect"
	"strings"
	"testing"
)

// Derivations as Nix writes them, in both formats.
const (
	plain   = `Derive([("out","","r:sha256",""),("x","/nix/store/x","","")],[("/nix/store/a.drv",["out","x"])],["/nix/store/s"],"x86_64-linux","/bin/sh",["-c","echo \"a\\n\"\n\t\r$é"],[("name","n"),("v","")])`
	dynamic = `DrvWithVersion("xp-dyn-drv",[],[("/nix/store/a.drv",["out"]),("/nix/store/p.drv",(["x"],[("out",["out","y"])]))],[],"","",[],[])`
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		text string
		want *Derivation
	}{
		{plain, &Derivation{
			Outputs: map[string]Output{"out": {"", "r:sha256", ""}, "x": {"/nix/store/x", "", ""}},
			Inputs:  map[string][]string{"/nix/store/a.drv": {"out", "x"}},
			Dynamic: map[string]map[string][]string{},
			Sources: []string{"/nix/store/s"},
			System:  "x86_64-linux", Builder: "/bin/sh", Args: []string{"-c", "echo \"a\\n\"\n\t\r$é"},
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
			t.Fatalf("%s\n%+v, %v\nwant %+v", test.text, got, err, test.want)
		}
		if got.String() != test.text {
			t.Errorf("%s is written as %s", test.text, got)
		}
		// No prefix of the text is a derivation.
		for i := range test.text {
			if _, err := Parse(test.text[:i]); err == nil {
				t.Errorf("no error for %s", test.text[:i])
			}
		}
	}
	for _, test := range []struct{ text, want string }{
		{"", "byte 0 is not Derive("},
		{`"a"`, "byte 0 is not Derive("},
		{`Other([],[],[],"","",[],[])`, "byte 0 is not Derive("},
		{`DrvWithVersion("xp-other",[],[],[],"","",[],[])`, "byte 0 is not Derive("},
		{plain + "\n", "is not the end"},
		{`Derive()`, "byte 7 is not ["},
		{`Derive([],[],[],"","",[])`, "byte 24 is not ,"},
		{`Derive([("out")],[],[],"","",[],[])`, "byte 14 is not ,"},
		{`Derive([("out","","","",""),[],[],"","",[],[])`, "byte 23 is not )"},
		{`Derive([],["a"],[],"","",[],[])`, "byte 11 is not ("},
		{`Derive([],[("a")],[],"","",[],[])`, "byte 15 is not ,"},
		{`Derive([],[("a","out")],[],"","",[],[])`, "byte 16 is not ["},
		{`Derive([],[("a",[[]])],[],"","",[],[])`, `byte 17 is not "`},
		{`Derive([],[("a",(["out"],[("out",["x"])]))],[],"","",[],[])`, "byte 16 is not ["},
		{`DrvWithVersion("xp-dyn-drv",[],[("a",([]))],[],"","",[],[])`, "byte 40 is not ,"},
		{`DrvWithVersion("xp-dyn-drv",[],[("a",(["out"],[]))],[],"","",[],[])`, "input a has no outputs of outputs"},
		{`DrvWithVersion("xp-dyn-drv",[],[("a",(["out"],["x"]))],[],"","",[],[])`, "byte 47 is not ("},
		{`DrvWithVersion("xp-dyn-drv",[],[("a",([],[("b",([],[]))]))],[],"","",[],[])`, "byte 47 is not ["},
		{`Derive([],[],[[]],"","",[],[])`, `byte 14 is not "`},
		{`Derive([],[],[],[],"",[],[])`, `byte 16 is not "`},
		{`Derive([],[],[],"","",[],[("x")])`, "byte 30 is not ,"},
		{`Derive([],[],[],"","",[] [])`, "byte 24 is not ,"},
		{`Derive([],[],["a" "b"],"","",[],[])`, "byte 17 is not ]"},
		{`Derive([],[],["a",],"","",[],[])`, `byte 18 is not "`},
		{`Derive([],[],["a"),"","",[],[])`, "byte 17 is not ]"},
		{`Derive([],[],[],1,"",[],[])`, `byte 16 is not "`},
		{`Derive([],[],[],"\x","",[],[])`, "byte 18 is not the rest of an escape"},
		{`Derive([],[],[],"\`, "byte 18 is not the rest of an escape"},
		{`Derive([],[],[],"`, "it ends in the middle of a string"},
		{`Derive([("a","","",""),("a","","","")],[],[],"","",[],[])`, "output a is there twice"},
		{`Derive([],[("a",[]),("a",["x"])],[],"","",[],[])`, "input a is there twice"},
		{`DrvWithVersion("xp-dyn-drv",[],[("a",([],[("x",["y"])])),("a",["x"])],[],"","",[],[])`, "input a is there twice"},
		{`DrvWithVersion("xp-dyn-drv",[],[("a",([],[("x",[]),("x",["y"])]))],[],"","",[],[])`, "output x of a is there twice"},
		{`Derive([],[],[],"","",[],[("a",""),("a","b")])`, "variable a is there twice"},
	} {
		if _, err := Parse(test.text); err == nil || !strings.HasPrefix(err.Error(), "not a derivation that dgd understands: ") || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", test.text, err, test.want)
		}
	}
}

// FuzzParse checks that a text that Parse accepts is reproduced by String.
func FuzzParse(f *testing.F) {
	f.Add(plain)
	f.Add(dynamic)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(d.String())
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%s\nis read as %+v\nand written as %s\nwhich is read as %+v, %v", text, d, d, again, err)
		}
	})
}
