package buildscript

import (
	"regexp"
	"strings"
	"testing"
)

// TestReadShell checks that anything but a simple command of literal words is an
// error.
func TestReadShell(t *testing.T) {
	p := newParser("", Options{})
	bad := []string{
		"", "a; b", "a\nb", "a &", "! a", "a | b", "a && b", "a || b", "a || true x", "a || X=1 true", "a || true > x", "a || true &", "(a) || true",
		"a $b", "a ${b}", "a ${WORK}", "a ${WORK%x}", "a $(b)", "a `b`", "a \"$b\"", "a \"$(b)\"", "a \"`b`\"", "a b'c'", "a b\"c\"", "a 'b'c", "a \"b\"c",
		"a \\b", "a b\\ c", "a $((1))", "a 'b'$c", "a $1",
		"{ a; }", "(a)", "if a; then b; fi", "a() { b; }", "for a in b; do c; done", "case a in b) c;; esac",
		"X=$b a", "X= a",
		"a > b > c", "a >> b", "a < b", "a 2> b", "a >& b", "a > $b", "a << E\n$b\nE\n", "a << E\nb\nE\n", "a << 'E'\nb\nE\nc\n", "a # b\n# c\n",
	}
	for _, script := range bad {
		file, err := p.shell.Parse(strings.NewReader(script), "")
		if err != nil {
			t.Errorf("%q: %v", script, err)
			continue
		}
		if c, err := readShell(file); err == nil {
			t.Errorf("%q is taken for %+v", script, c)
		}
	}
}

// TestCheckShell checks that the shell's parser finds mistakes that splitting a line
// at its spaces would make. The go command's rules of printing have no part in it.
func TestCheckShell(t *testing.T) {
	words := func(line string) command { return command{args: strings.Split(line, " "), run: true} }
	work := "$WORK/x"
	tests := []struct {
		text string
		c    command
		ok   bool
	}{
		{"gcc x -I $WORK/b001/ -DA=*?[a]{b,c}~!\n", words("gcc x -I $WORK/b001/ -DA=*?[a]{b,c}~!"), true},
		{"gcc \"a b\" \"-DX=\\\"y\\\\\\\"\" \"$WORK/b=>\"\n", command{args: []string{"gcc", "a b", `-DX="y\"`, "$WORK/b=>"}, run: true}, true},
		{"A='b c' gcc\n", command{env: []string{"A=b c"}, args: []string{"gcc"}, run: true}, true},
		{"gcc x || true\n", command{args: []string{"gcc", "x"}, tail: tailProbe, run: true}, true},
		{"cat >$WORK/x << 'EOF' # internal\n$a\n}EOF\n", command{args: []string{"cat"}, to: work, text: "$a\n}", tail: tailInternal}, true},

		// More than one command, or other words.
		{"gcc x; rm y\n", words("gcc x; rm y"), false},
		{"gcc x;\n", words("gcc x;"), false},
		{"gcc x > y\n", words("gcc x > y"), false},
		{"gcc x >y\n", words("gcc x >y"), false},
		{"gcc (x)\n", words("gcc (x)"), false},
		{"(gcc x)\n", words("(gcc x)"), false},
		{"gcc  x\n", words("gcc  x"), false},
		{"gcc x\n", words("gcc x "), false},
		{"gcc x\\\n", words("gcc x\\"), false},
		{"gcc x\\y\n", words("gcc x\\y"), false},
		{"gcc a\"b\"\n", words("gcc a\"b\""), false},
		{"gcc \"a b\n", words("gcc \"a b"), false},
		{"gcc \"a b\"\n", words("gcc \"a b\""), false},
		{"gcc \"a\\x20b\"\n", command{args: []string{"gcc", "a b"}, run: true}, false},
		{"gcc $WORKER/x\n", words("gcc $WORK/x"), false},
		{"gcc x\ngcc y\n", words("gcc x"), false},
		{"gcc\n", words("gcc x"), false},

		// Assignments, comments, redirections and texts.
		{"A='b' gcc\n", words("A=b gcc"), false},
		{"A='b'c gcc\n", command{env: []string{"A=b"}, args: []string{"gcc"}, run: true}, false},
		{"gcc x # internal\n", words("gcc x"), false},
		{"gcc x || true\n", words("gcc x"), false},
		{"gcc x\n", command{args: []string{"gcc", "x"}, tail: tailProbe, run: true}, false},
		{"echo -n > $WORK/x # internal\n", command{args: []string{"echo", "-n"}, to: "$WORK/y", tail: tailInternal}, false},
		{"echo 'a' 'b' > $WORK/x # internal\n", command{args: []string{"echo", "a b"}, to: work, tail: tailInternal}, false},
		{"cat >$WORK/x << 'EOF' # internal\na\nEOF\nrm b\nEOF\n", command{args: []string{"cat"}, to: work, text: "a\nEOF\nrm b\n", tail: tailInternal}, false},
		{"cat >$WORK/x << EOF # internal\na\nEOF\n", command{args: []string{"cat"}, to: work, text: "a\n", tail: tailInternal}, false},
		{"cat >$WORK/x << 'EOF' # internal\n\xff\nEOF\n", command{args: []string{"cat"}, to: work, text: "\xff\n", tail: tailInternal}, false},
		{"cat >$WORK/x << 'EOF' # internal\na\x00b\nEOF\n", command{args: []string{"cat"}, to: work, text: "a\x00b\n", tail: tailInternal}, false},
		{"cd /a; rm b\n", words("cd /a; rm b"), false},
		{"mkdir -p /a /b\n", command{args: []string{"mkdir", "-p", "/a", "/c"}}, false},
	}
	for _, test := range tests {
		err := newParser("", Options{}).checkShell(test.c, test.text)
		if (err == nil) != test.ok {
			t.Errorf("%q, taken for %+v: error %v", test.text, test.c, err)
		}
	}
}

// TestPlain checks that checkShell leaves out no commands but those with a word of the
// user's that a shell parses differently.
func TestPlain(t *testing.T) {
	odd := []string{
		"gcc a&b", "gcc a|b", "gcc a#b", "gcc a'b", "gcc a`b", "gcc a$b", "gcc a<b", "gcc é", "gcc \"a\\nb\"", "gcc \"a;$b\"",
		"A='é' time x", "time x", "A=\"it's\" gcc x", "mkdir -p a (1)", "mkdir -p $WORK/a b", "cp a;b $WORK/c", "echo 'it's' > $WORK/x # internal", "rm -rf $WORK/\xff",
	}
	for _, line := range odd {
		c, err := newParser("", Options{Programs: []string{"time"}}).split(line)
		if err != nil || c.isPlain() {
			t.Errorf("%q: error %v, and a shell is asked", line, err)
		}
	}
	for _, file := range append(recordedFiles(t, "go1.24", "*"), recordedFiles(t, "go1.27", "*")...) {
		if strings.Contains(file, "hostile") {
			continue
		}
		script, err := Parse(readRecorded(t, file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range script.Steps {
			if _, ok := step.Action.(Banner); ok {
				continue
			}
			line, rest, _ := strings.Cut(step.Text, "\n")
			if c, err := newParser(rest+"\n", Options{}).split(line); err != nil {
				t.Errorf("%s, line %d: %v", file, step.Line, err)
			} else if !c.isPlain() && !oddNames.MatchString(line) {
				t.Errorf("%s, line %d: no shell is asked about %.300s", file, step.Line, line)
			}
		}
	}
}

// oddNames are the unusual names in the sources of the recorded scripts.
var oddNames = regexp.MustCompile(`-DDOLLAR=\$x|\$INTBITS|/k&r\.c| k&r\.c|a b|/my programs/| out dir/|-test\.run=\^TestTwo\$$|"-extld='/opt/llvm mingw/`)
