package buildscript

import (
	"errors"
	"strings"
	"testing"
)

func TestParseErrors(t *testing.T) {
	tests := []struct {
		text string
		want string // after "go build -n, line N: ", and before ": LINE"; "" means no error
		line int
	}{
		// Programs.
		{"mkdir -p $WORK/b001/\nfrobnicate -x\n", `unknown command "frobnicate"`, 2},
		{"# example.com/p\n", `unknown command "#"`, 1},
		{"example.com/p\n", `unknown command "example.com/p"`, 1},
		{"./main.go:1:1: expected 'package'\n", `unknown command "./main.go:1:1:"`, 1},
		{"if\n", `unknown command "if"`, 1},
		{"TERM='dumb' rm -rf x\n", `unknown command "rm"`, 1},
		{"/goroot/pkg/tool/linux_amd64/frob\n", `unknown Go tool "frob"`, 1},
		{"go tool frob\n", `unknown Go tool "frob"`, 1},
		{"go tool\n", `of the go command only "go tool NAME" is expected`, 1},
		{"go run x\n", `of the go command only "go tool NAME" is expected`, 1},
		{"go tool buildid -w x\n", `the comment "# internal" is expected after pack and buildid, and only there`, 1},
		{"gcc x # internal\n", `the comment "# internal" is expected after pack and buildid, and only there`, 1},
		{"A='b' gcc || true\n", `only a C compiler is expected before "|| true"`, 1},
		{"go tool vet || true\n", `only a C compiler is expected before "|| true"`, 1},
		{"touch /bin/p\n", `the result is installed already`, 1},
		{"cat /cache/x  # internal\n", `not a file written by the go command; was the build cache empty?`, 1},

		// Words.
		{"gcc  x\n", `the go command does not print a word as "" without quotes`, 1},
		{"gcc x \n", `the go command does not print a word as "" without quotes`, 1},
		{"gcc x > y\n", `the go command does not print a word as ">" without quotes`, 1},
		{"gcc x; rm y\n", `the go command does not print a word as "x;" without quotes`, 1},
		{"gcc $(x)\n", `the go command does not print a word as "$(x)" without quotes`, 1},
		{"gcc x\\\n", `the go command does not print a word as "x\\" without quotes`, 1},
		{"gcc x\ty\n", `the go command does not print a word as "x\ty" without quotes`, 1},
		{"gcc x\r\n", `the go command does not print a word as "x\r" without quotes`, 1},
		{"gcc \xff\n", `the go command does not print a word as "\xff" without quotes`, 1},
		{"gcc a\"b\"\n", `the go command does not print a word as "a\"b\"" without quotes`, 1},
		{"gcc \"a b\n", `unbalanced quote`, 1},
		{"\"a b\n", `unbalanced quote`, 1},
		{"gcc \"a b\"c\n", `text after the closing quote of "a b"`, 1},
		{"gcc \"ab\"\n", `the go command does not print a word as "ab"`, 1},
		{"gcc \"\\x20\"\n", `the go command does not print a word as "\x20"`, 1},
		{"gcc \"\x7f\"\n", "the go command does not print a word as \"\x7f\"", 1},
		{"gcc \"\\x00\"\n", `a word has a zero byte: "\x00"`, 1},
		{"A='b gcc\n", `unbalanced quote`, 1},
		{"A=\"b gcc\n", `unbalanced quote`, 1},
		{"A=\"b\" gcc\n", `the go command does not print a value as "b"`, 1},
		{"A='b'c gcc\n", `no space after the value of A`, 1},
		{"A='b'\n", `no space after the value of A`, 1},
		{"A='b' \n", `the go command does not print a word as "" without quotes`, 1},
		{"A='b\xff\t' gcc\n", ``, 0}, // any bytes but a quote and a newline

		// The work directory.
		{"gcc $WORKER\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"gcc /src/$WORK/x\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"gcc ./$WORK.c\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"gcc $WORK.c\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"gcc -I$WORK$WORK\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"A='x$WORK' gcc\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"cd /src/$WORK\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"echo '/src/$WORK' > $WORK/x # internal\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},

		// Shortened words.
		{"cd /src/a b\ngcc ./x\n", `"./x" is ambiguous in a directory with a space in its name, "/src/a b"`, 2},
		{"cd /src/p\ngcc \"-DX=a ./x\"\n", `in "-DX=a ./x" the dot after a space may stand for the directory "/src/p"`, 2},
		{"cd /src/p\ngcc \"-DX=a .x\"\n", `in "-DX=a .x" the dot after a space may stand for the directory "/src/p"`, 2},
		{"cd /src/p\ngcc \"-DX=a ..x\" \"-DX=a ...\"\n", ``, 0},
		{"cd .\ngcc \"-DX=a .x\"\n", ``, 0},
		{"cd /src/p\nA='b .' gcc\n", `in "A=b ." the dot after a space may stand for the directory "/src/p"`, 2},

		// Banners.
		{"#\n", `the script is cut off: its last line does not end`, 1},
		{"#\n# \n#\n", `incomplete package header`, 1},
		{"#\nx\n#\n", `incomplete package header`, 1},
		{"#\n# p\nx\n", `incomplete package header`, 1},
		{"#\n# p\n", `the script is cut off: its last line does not end`, 1},
		{"#\n# p", `the script is cut off: its last line does not end`, 1},
		{"#\n# p\n#", `the script is cut off: its last line does not end`, 1},
		{"#\n# p\x01\n#\n", `a path has a control character: "p\x01"`, 1},

		// Paths.
		{"cd \n", `a path is missing`, 1},
		{"cd a\tb\n", `a path has a control character: "a\tb"`, 1},
		{"mkdir $WORK\n", `not a form of this command that the go command prints`, 1},
		{"mkdir -p \n", `a path is missing`, 1},
		{"mkdir\n", `not a form of this command that the go command prints`, 1},
		{"mkdir -p $WORK/\xff\xfe\n", ``, 0}, // bytes that are no characters
		{"cp a\n", `not a form of this command that the go command prints`, 1},
		{"cp a b\n", `"b" is not in the work directory`, 1},
		{"cp a b c\n", `a path has a space, and the line can be split in more than one way`, 1},
		{"cp a $WORK/b $WORK/c\n", `a path has a space, and the line can be split in more than one way`, 1},
		{"cp  $WORK/a\n", `a path is missing`, 1},
		{"mv a b\n", `"a" is not in the work directory`, 1},
		{"mv $WORK/x b c\n", `a path has a space, and the line can be split in more than one way`, 1},
		{"mv $WORK/a.out b $WORK/c $WORK/d\n", `a path has a space, and the line can be split in more than one way`, 1},
		{"mv $WORK/a\n", `not a form of this command that the go command prints`, 1},
		{"ln -s a\n", `not a form of this command that the go command prints`, 1},
		{"ln -s a b c\n", `a path has a space, and the line can be split in more than one way`, 1},
		{"ln a b\n", `not a form of this command that the go command prints`, 1},
		{"rm x\n", `not a form of this command that the go command prints`, 1},
		{"rm -rf \n", `not a form of this command that the go command prints`, 1},
		{"rm -rf /\n", `"/" is not in the work directory`, 1},
		{"rm -rf $WORK/a /b\n", `a path has a space, and the line can be split in more than one way`, 1},

		// Files.
		{"echo x\n", `not a form of this command that the go command prints`, 1},
		{"echo x # internal\n", `not a form of this command that the go command prints`, 1},
		{"echo 'x' $WORK/y # internal\n", `not a form of this command that the go command prints`, 1},
		{"echo '-n' > $WORK/y # internal\n", `not a form of this command that the go command prints`, 1},
		{"echo 'x' > y # internal\n", `"y" is not in the work directory`, 1},
		{"echo 'x' > $WORK/y' > z # internal\n", `ambiguous: the text or the path holds a quote`, 1},
		{"echo 'x\ry' > $WORK/z # internal\n", `the text has a control character, '\r'`, 1},
		{"echo -n > y # internal\n", `"y" is not in the work directory`, 1},
		{"cat >$WORK/x << 'EOF'\n", `not a form of this command that the go command prints`, 1},
		{"cat >$WORK/x << 'EOF' # internal\n", `the text has no end`, 1},
		{"cat >$WORK/x << 'EOF' # internal\nx\n", `the text has no end`, 1},
		{"cat >$WORK/x << 'EOF' # internal\nxEOF\n", `the text has no end`, 1},
		{"cat >$WORK/x << 'EOF' # internal\nx\n}EOF\n", `the text has no end`, 1},
		{"cat >$WORK/x << 'EOF' # internal\nEOF\n", `the text is empty`, 1},
		{"cat >$WORK/x << 'EOF' # internal\nx\nEOF", `the script is cut off: its last line does not end`, 1},
		{"cat >x << 'EOF' # internal\nx\nEOF\n", `"x" is not in the work directory`, 1},
		{"cat >$WORK/x << 'EOF' # internal\na$WORK\nEOF\n", `$WORK is part of a longer name here, and may not be the work directory`, 1},
		{"cat >$WORK/x << 'EOF' # internal\n\xff\nEOF\n", `not understood by the shell's parser: 2:1: invalid UTF-8 encoding`, 1},
		{"\nmkdir -p x", `the script is cut off: its last line does not end`, 2},
	}
	for _, test := range tests {
		_, err := Parse(test.text, Options{})
		if test.want == "" {
			if err != nil {
				t.Errorf("Parse(%q): %v", test.text, err)
			}
			continue
		}
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("Parse(%q): error %v, want an *Error: %s", test.text, err, test.want)
			continue
		}
		want := Error{Line: test.line, Text: strings.Split(test.text, "\n")[test.line-1], Msg: test.want}
		if *got != want {
			t.Errorf("Parse(%q)\ngot  %#v\nwant %#v", test.text, *got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := Parse("\nfrobnicate -x\n", Options{})
	want := `go build -n, line 2: unknown command "frobnicate": frobnicate -x`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	// A long line is cut, and not within a character.
	e := &Error{Line: 7, Text: "x" + strings.Repeat("é", 1000), Msg: "message"}
	want = "go build -n, line 7: message: x" + strings.Repeat("é", (maxErrorText-2)/2) + "... (2001 bytes)"
	if got := e.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
