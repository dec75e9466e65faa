package build

import (
	"flag"
	"strings"
	"testing"
)

var allPrograms = flag.Bool("all-programs", false, "compare every program of tests/programs.nix, the large ones too")

// Every example builds in all modes, prints what it should, and has the bytes of
// `go build`.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"ifd", "dyn", "plan"} {
		t.Run(mode, func(t *testing.T) {
			for _, attr := range []string{"testExamples", "tests.exampleIdentity"} {
				r := nixBuild(t, "-A", attr, "--argstr", "mode", mode, "--keep-going")
				if r.err != nil {
					t.Fatalf("%s: %v\n%s", attr, r.err, tail(r.log))
				}
			}
		})
	}
}

// programs are those of tests/programs.nix that are compared in every run: one
// heavy in assembly (s2c), one whose modules come as archives (age-proxy), and one
// with some third-party modules (yq).
var programs = []string{"shfmt", "age", "age-proxy", "s2c", "yq"}

// largePrograms take minutes: among them are one with SQLite by cgo (sql-migrate),
// one whose tags change the standard library (nats-server), one with many embedded
// files (hugo), and two with much C and C++ (ollama, hugo-extended).
var largePrograms = []string{"gofumpt", "stringer", "nats-server", "sql-migrate", "hugo", "restic", "caddy", "rclone", "ollama", "hugo-extended", "k9s"}

// Published programs have the bytes of `go build`, in both modes.
func TestPrograms(t *testing.T) {
	t.Parallel()
	names := programs
	if *allPrograms {
		names = append(names, largePrograms...)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			// The second mode compiles nothing.
			dyn := nixBuild(t, "-A", "tests.programIdentity."+name, "--arg", "useDynDrv", "true")
			if dyn.err != nil {
				t.Fatalf("dyn: %v\n%s", dyn.err, tail(dyn.log))
			}
			ifd := nixBuild(t, "-A", "tests.programIdentity."+name, "--arg", "useDynDrv", "false")
			if ifd.err != nil {
				t.Fatalf("ifd: %v\n%s", ifd.err, tail(ifd.log))
			}
			if c := ifd.compiled(); len(c) > 0 {
				t.Errorf("the second mode built %d derivations: %s", len(c), strings.Join(c, " "))
			}
		})
	}
}

// tail returns the end of a log.
func tail(log string) string {
	lines := strings.SplitAfter(log, "\n")
	if len(lines) > 60 {
		lines = append([]string{"…\n"}, lines[len(lines)-60:]...)
	}
	return strings.Join(lines, "")
}
