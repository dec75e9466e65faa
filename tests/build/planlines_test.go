package build

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// evaluated returns the output of Nix for an expression, without import from derivation.
func evaluated(expr string) (string, error) {
	out, err := exec.Command("nix-instantiate", append([]string{"--eval", "--strict", "--read-write-mode", "-E", expr}, pureFlags...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// plannedLayers returns the plan of a project, and a Nix expression for the .drv path of its program.
func plannedLayers(t *testing.T) (plan, call string) {
	t.Helper()
	src := project(t, layers)
	writePlan(t, dgdCommand(t), src, "--builder", "buildWithIFD", "--cgo=false")
	plan = filepath.Join(src, "dgd.plan")
	return plan, "(" + expression(t, "buildWithIFD", src, planArgs+" plan = "+plan+";") + ").program.drvPath"
}

// If packages in a plan, or derivations that packages share, depend on themselves, the
// error names their lines. Nix alone would report infinite recursion.
func TestPlanCircles(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	plan, call := plannedLayers(t)
	good := fileText(t, plan)
	changed := func(prefix string, change func(fields []string)) string {
		rows := strings.SplitAfter(good, "\n")
		for i, row := range rows {
			if strings.HasPrefix(row, prefix+" ") {
				fields := strings.Split(row[:len(row)-len(" #1234\n")], " ")
				change(fields)
				rows[i] = signed(strings.Join(fields, " "))
				return strings.Join(rows, "")
			}
		}
		t.Fatalf("no line begins with %q:\n%s", prefix, good)
		return ""
	}
	for _, test := range []struct{ name, text, want string }{
		{"imports", changed("package layers:base", func(f []string) { f[4] = ".:leaf" }), "dgd.plan is damaged: what the lines of layers:"},
		{"a package of itself", changed("package layers:base", func(f []string) { f[4] = ".:base" }), "dgd.plan is damaged: what the lines of layers:base stand for depends on itself: run `dgd plan`"},
		{"a kind of lines", good + signed("paquet layers: x"), "dgd.plan is damaged: this dgd knows no lines that begin with `paquet`: run `dgd plan`"},
		{"no kind at all", good + signed("Package x"), "dgd.plan is damaged: this dgd knows no lines that begin with ``: run `dgd plan`"},
	} {
		write(t, plan, test.text)
		if out, err := evaluated(call); err == nil || !strings.Contains(out, test.want) || strings.Contains(out, "infinite recursion") {
			t.Errorf("%s: %v, want %s:\n%s", test.name, err, test.want, out)
		}
	}
	lib := filepath.Join(repo(t), "lib/stages/plan-circles.nix")
	const group = `{ id = %q; level = "%d"; }`
	for _, test := range []struct{ name, refs, groups, want string }{
		{"none", `a = [ "b" "std" ]; b = [ "c" ]; c = [ ];`, "", "null"},
		{"shared, in order", `a = [ "b" ]; b = [ ]; c = [ "a" ];`, `a = ` + fmt.Sprintf(group, "g", 10) + `; b = ` + fmt.Sprintf(group, "g", 9) + `;`, "null"},
		{"of two groups", `a = [ "c" ]; b = [ ]; c = [ ]; d = [ "b" ]; e = [ "a" ];`,
			`a = ` + fmt.Sprintf(group, "g", 0) + `; b = ` + fmt.Sprintf(group, "g", 0) + `; c = ` + fmt.Sprintf(group, "h", 0) + `; d = ` + fmt.Sprintf(group, "h", 0) + `;`,
			`"what the lines of a and b stand for depends on itself"`},
		{"by way of another", `a = [ "c" ]; b = [ ]; c = [ "b" ];`, `a = ` + fmt.Sprintf(group, "g", 1) + `; b = ` + fmt.Sprintf(group, "g", 0) + `;`, `"what the lines of c stand for depends on itself"`},
		{"a package called as a group", `"m:1" = [ "a" ]; a = [ ]; b = [ "m:1" ];`, `a = ` + fmt.Sprintf(group, "m:1", 0) + `; b = ` + fmt.Sprintf(group, "m:2", 0) + `;`, "null"},
	} {
		expr := fmt.Sprintf("let refs = { %s }; in import %s { refsOf = refs; groupOf = builtins.mapAttrs (_: _: null) refs // { %s }; }", test.refs, lib, test.groups)
		if out, err := evaluated(expr); err != nil || out != test.want {
			t.Errorf("%s: %v, %s, want %s", test.name, err, out, test.want)
		}
	}
}

// A file can have many settings: the list of settings at the beginning of a line may be too
// long for Nix's regular expressions.
func TestPlanOfManySettings(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	plan, call := plannedLayers(t)
	want, err := evaluated(call)
	if err != nil {
		t.Fatal(want)
	}
	const count = 2000
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("linux/amd64:%04x", i)
	}
	var text strings.Builder
	for i, row := range strings.SplitAfter(fileText(t, plan), "\n") {
		if i == 0 || !strings.Contains(row, " #") {
			text.WriteString(row)
			continue
		}
		// A line for half of the settings. The other half has other tags.
		line := row[:len(row)-len(" #1234\n")]
		text.WriteString(signed("@" + strings.Join(names[count/2:], ",") + " " + line))
		if strings.HasPrefix(line, "set ") {
			text.WriteString(signed("@" + strings.Join(names[:count/2], ",") + " " + strings.Replace(line, "-trimpath", "-tags=other", 1)))
		}
	}
	for _, name := range names[count-2:] {
		text.WriteString(signed("@" + name + " set variant \"" + name + "\""))
	}
	write(t, plan, text.String())
	if got, err := evaluated(call); err != nil || got != want {
		t.Errorf("%v: among many settings there is %s, alone %s", err, got, want)
	}
}

// overrideAttrs can change dgd's own arguments, too.
func TestPlanByOverrideAttrs(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	src := project(t, layers)
	writePlan(t, dgd, src, "--cgo=false")
	call := fmt.Sprintf("((import %s { }).buildGoModule { pname = \"p\"; version = \"1\"; src = %s; plan = %[2]s/dgd.plan; vendorHash = null; contentAddressed = false; doCheck = false; env.CGO_ENABLED = \"0\"; })", repo(t), src)
	for _, test := range []struct{ name, change, attribute, want string }{
		{"nothing", "", "dgd ? check", "true"},
		{"no plan", ".overrideAttrs (_: { plan = null; })", "dgd ? check", "false"},
		{"another plan", ".overrideAttrs (_: { plan = /none/dgd.plan; })", "drvPath", "`plan` names /none/dgd.plan, which does not exist"},
		{"a wrong one", ".overrideAttrs (_: { plan = true; })", "name", "the argument `plan` must be a path, such as ./dgd.plan, or null"},
		{"granularity", ".overrideAttrs { granularity = \"package\"; }", "drvPath", "dgd.plan was written for another setting `granularity`"},
		{"patches", ".overrideAttrs { patches = [ ./x.patch ]; }", "drvPath", "leave out `plan` (with overrideAttrs, plan = null), or `patches`"},
		{"patches, without a plan", ".overrideAttrs { patches = [ ./x.patch ]; plan = null; }", "dgd ? check", "false"},
	} {
		if out, _ := evaluated("(" + call + test.change + ")." + test.attribute); !strings.Contains(out, test.want) || (out == test.want) == strings.Contains(test.want, " ") {
			t.Errorf("%s: want %s:\n%s", test.name, test.want, out)
		}
	}
}
