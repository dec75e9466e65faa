package drvfile

import (
	"errors"
	"os"
	"reflect"
	"testing"

	"dgd/internal/testnix"
)

const (
	hashA = "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-"
	hashB = "/nix/store/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-"
	hashC = "/nix/store/cccccccccccccccccccccccccccccccc-"
)

// The expected placeholders were written by Nix 2.34.
func TestPlaceholders(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Placeholder("out"), "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"},
		{InputPlaceholder("/nix/store/8arzrdr30j4jxgqshrmyfllnrg997ww2-a.drv", "out"), "/11daxf258zs3ajb43y8vm9g9gg8bza95rw6j7i60idcvfhk3plrk"},
		{InputPlaceholder("/nix/store/8arzrdr30j4jxgqshrmyfllnrg997ww2-a.drv", "dev"), "/0x62q6339lxj5kd043dkh7b54mgbiqqlljwr7fp0yikvsj0ma4sm"},
		{DynamicPlaceholder("/nix/store/kkcl730bqx50dzx19wc9wd456gqzzjx8-program.drv.drv", "out", "out"), "/1rj53yqayspg4shbjn6wd4az41701gxngvfl5xpdhy0qycqhc10r"},
		{DynamicPlaceholder("/nix/store/r34cd00pakpsx8mifl9inpigcd3gfksc-p.drv.drv", "out", "bin"), "/0gxcylikgkblibc2nli30lkkmvaajmva7pllmd90hhyydmdx78hg"},
	} {
		if test.got != test.want {
			t.Errorf("%s, want %s", test.got, test.want)
		}
	}
}

// Parse and String reproduce a derivation of a real Nix with dynamic inputs and
// escapes, and its placeholders are the computed ones.
func TestNix(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	st.Configure("extra-experimental-features = ca-derivations dynamic-derivations")
	drv := st.Run(t, "nix-instantiate", "-E", `
		let
		  floating = {
		    system = "x86_64-linux";
		    builder = "/bin/sh";
		    __contentAddressed = true;
		    outputHashMode = "recursive";
		    outputHashAlgo = "sha256";
		  };
		  lib = derivation (floating // { name = "lib"; outputs = [ "out" "dev" ]; });
		  made = derivation (floating // { name = "made.drv"; outputHashMode = "text"; });
		in
		derivation {
		  name = "all";
		  system = "x86_64-linux";
		  builder = "/bin/sh";
		  args = [ "-c" "echo \"x\\\n\t\r$é" ];
		  "odd \"name\"\n" = "${lib.drvPath} ${lib}";
		  own = builtins.placeholder "out";
		  dev = lib.dev;
		  dynamic = builtins.outputOf made.outPath "bin";
		  source = builtins.toFile "source" "text";
		}`)
	text, err := os.ReadFile(st.Path(drv))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(string(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	if d.String() != string(text) {
		t.Errorf("%s\nis written as\n%s", text, d)
	}
	if len(d.Dynamic) != 1 || len(d.Inputs) != 1 || len(d.Sources) == 0 || d.Args[1] != "echo \"x\\\n\t\r$é" || d.Env["own"] != Placeholder("out") {
		t.Errorf("%s\nis read as\n%+v", text, d)
	}
	for drv := range d.Inputs {
		if got, want := d.Env["dev"], InputPlaceholder(drv, "dev"); got != want {
			t.Errorf("an input's placeholder is %s, not %s", got, want)
		}
	}
	for drv := range d.Dynamic {
		if got, want := d.Env["dynamic"], DynamicPlaceholder(drv, "out", "bin"); got != want {
			t.Errorf("a dynamic input's placeholder is %s, not %s", got, want)
		}
	}
}

// If all outputs of inputs are known, the resolved derivation has only input sources.
func TestResolve(t *testing.T) {
	d, err := Parse(`DrvWithVersion("xp-dyn-drv",[("out","","r:sha256","")],[("` + hashA + `pkg.drv",["x"]),("` + hashA + `program.drv.drv",([],[("out",["bin"])]))],["` +
		hashC + `src"],"s","b",["-x","` + DynamicPlaceholder(hashA+"program.drv.drv", "out", "bin") + `"],[("in","` + InputPlaceholder(hashA+"pkg.drv", "x") + `/p")])`)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string][]string{hashA + "pkg.drv": {"x"}}; !reflect.DeepEqual(d.Inputs, want) {
		t.Errorf("the inputs are %+v", d.Inputs)
	}
	known := map[string]map[string]string{}
	outputs := func(drv string) (map[string]string, error) { return known[drv], nil }
	for _, next := range []struct{ drv, output, path string }{
		{hashA + "pkg.drv", "x", hashB + "pkg-x"},
		{hashA + "program.drv.drv", "out", hashB + "program.drv"},
		{hashB + "program.drv", "bin", hashB + "program-bin"},
	} {
		if r, err := d.Resolve(outputs); r != nil || err != nil {
			t.Errorf("it is resolved without %s: %s, %v", next.drv, r, err)
		}
		known[next.drv] = map[string]string{next.output: next.path}
	}
	before := d.String()
	r, err := d.Resolve(outputs)
	if err != nil || r == nil {
		t.Fatalf("%v, %v", r, err)
	}
	want := `Derive([("out","","r:sha256","")],[],["` + hashB + `pkg-x","` + hashB + `program-bin","` + hashC + `src"],"s","b",["-x","` + hashB + `program-bin"],[("in","` + hashB + `pkg-x/p")])`
	if got := r.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if d.String() != before {
		t.Errorf("%s has become %s", before, d)
	}
	failed := errors.New("failed")
	if r, err := d.Resolve(func(string) (map[string]string, error) { return nil, failed }); err != failed || r != nil {
		t.Errorf("%v, %v", r, err)
	}
}
