package planfile

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// factsOf is the digest of facts about a link's packages.
func factsOf(facts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(facts, "\n")))
	return hex.EncodeToString(sum[:4])
}

// The plan is stale if the line of a program was written for other lines of its packages,
// as after a merge of two sides that have changed one each.
func TestUnfit(t *testing.T) {
	base := []string{
		`template t [{"run":{"args":["gcc","-c","x.c"]}}]`, `template u [{"run":{"args":["g++","-c","${SRC}/p/x.cc"],"dir":"${OBJ}"}}]`,
		"module m example.com/m - go1.24", "module lib example.org/lib example.org/lib@v1.0.0 go1.24", "module more example.org/more example.org/more@v1.0.0 go1.24",
		"std runtime std -", "std net std-net runtime/cgo", "std runtime/cgo std-cgo runtime",
		"package m: t main .:p,.:q,runtime d=1 s=.", "package m:p t p lib:x d=2 s=p", "package m:q t q - d=3 s=q", "package m:r t r - d=4 s=r",
		"package lib:x t x -", "package more: t y -",
		"testpackage ^m:m.test t - .:p%20[m.test]", "testpackage ^m:p%20[m.test] t p - d=5 s=p", "testpackage ^m:other t other - d=6 s=other",
		"link link!example.com/m l m m:", "testlink link!^example.com/m.test l m.test ^m:m.test",
	}
	sealed := func(changes ...string) []string {
		lines := slices.Clone(base)
		for i := 0; i < len(changes); i += 2 {
			at := slices.Index(lines, changes[i])
			if at < 0 {
				t.Fatalf("there is no line %q", changes[i])
			}
			lines[at] = changes[i+1]
		}
		f := &File{Nodes: lines}
		f.sealLinks()
		return f.Nodes
	}
	const (
		main     = "package m: t main .:p,.:q,runtime d=1 s=."
		mainOfR  = "package m: t main .:p,.:q,.:r,runtime d=9 s=."
		q, r     = "package m:q t q - d=3 s=q", "package m:r t r - d=4 s=r"
		testMain = "testpackage ^m:m.test t - .:p%20[m.test]"
	)
	const fault = ": its packages are of other modules, or have other C, than its line says, as after a merge"
	program, testProgram := []string{"example.com/m" + fault}, []string{"example.com/m.test" + fault}
	for _, test := range []struct {
		name               string
		one, other         []string // old and new lines, alternating
		unfit, unfitOfTest []string
	}{
		{"nothing", nil, nil, nil, nil},
		{"what makes no difference", []string{main, mainOfR}, []string{r, "package m:r t r lib:x d=9 s=r"}, nil, nil},
		{"a module more", []string{main, mainOfR}, []string{r, "package m:r t r more: d=9 s=r"}, program, nil},
		{"a module less", []string{q, "package m:q t q more: d=9 s=q"}, []string{main, "package m: t main .:p,runtime d=9 s=."}, program, nil},
		{"C", []string{main, mainOfR}, []string{r, "package m:r t - - c=1 d=9 s=r"}, program, nil},
		{"C of the standard library", []string{main, mainOfR}, []string{r, "package m:r t r net d=9 s=r"}, program, nil},
		{"C++", []string{main, mainOfR, q, "package m:q t - - c=1 d=9 s=q"}, []string{r, "package m:r u - - c=1 d=9 s=r"}, program, nil},
		{"files of the sources", []string{main, mainOfR}, []string{r, "package m:r t - - L=1 c=1 d=9 s=r"}, program, nil},
		{"a package twice", []string{testMain, "testpackage ^m:m.test t - .:p%20[m.test],m:r"}, []string{r, "package m:r t r .:p d=9 s=r"}, nil, testProgram},
		{"no compile for tests", []string{testMain, "testpackage ^m:m.test t - .:p%20[m.test],m:r"}, []string{"testpackage ^m:other t other - d=6 s=other", "testpackage ^m:r t r - d=6 s=r"}, nil, testProgram},
	} {
		sides := [][]string{sealed(), sealed(test.one...), sealed(test.other...)}
		for _, side := range sides {
			if got := slices.Concat(unfit(side, false), unfit(side, true)); len(got) > 0 {
				t.Errorf("%s: as a whole, %q do not fit", test.name, got)
			}
		}
		// Lines that only one side has changed are taken from it.
		merged := slices.Clone(sides[1])
		for i, line := range sides[2] {
			if sides[1][i] == sides[0][i] {
				merged[i] = line
			}
		}
		if got := unfit(merged, false); !slices.Equal(got, test.unfit) {
			t.Errorf("%s: %q do not fit, want %q", test.name, got, test.unfit)
		}
		if got := unfit(merged, true); !slices.Equal(got, test.unfitOfTest) {
			t.Errorf("%s: of the tests, %q do not fit, want %q", test.name, got, test.unfitOfTest)
		}
	}
}

// C++ counts whether it is compiled with its package or in a node of its own.
func TestHasCxx(t *testing.T) {
	l := readLinked([]string{
		`template c {"run":{"args":["gcc","-c","${SRC}/x.c"]}}`, `template cxx {"run":{"args":["g++","-I","a.cc","-c","${SRC}/x.cpp"],"dir":""}}`,
		"package m:whole cxx - - c=1", "package m:apart c - - c=1 r=cgo!m:apart!cgo>go,objects!m:apart!x.cpp>file", "package m:c c - - c=1 r=objects!m:c!cgo>file",
		"node cgo!m:apart!cgo c -", "node objects!m:apart!x.cpp cxx -", "node objects!m:c!cgo c -",
	})
	for key, want := range map[string]bool{"m:whole": true, "m:apart": true, "m:c": false} {
		if got := l.hasCxx(l.packages[key]); got != want {
			t.Errorf("%s has C++: %v", key, got)
		}
	}
}

// Packages come after their imports in a shared derivation.
func TestLevels(t *testing.T) {
	lines := []string{
		"package m:a t a .:b,n:a g=1.1", "package m:b t b - g=1.0", "package n:a t a m:c g=1.0", "package m:c t c - g=2.5",
		"package x:a t a y:a g=+ab.10", "package y:a t a - g=+ab.9", "testpackage ^m:a t a .:b g=1.0", "testpackage ^m:b t b - g=1.0",
	}
	if got := unfit(lines, false); len(got) > 0 {
		t.Errorf("%q", got)
	}
	if got, want := unfit(lines, true), []string{"^m:a: it shares a derivation with ^m:b, which is not before it, as after a merge"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	lines[4] = "package x:a t a y:a g=+ab.9"
	if got, want := unfit(lines, false), []string{"x:a: it shares a derivation with y:a, which is not before it, as after a merge"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
