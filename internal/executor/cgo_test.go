package executor

import (
	"slices"
	"testing"
)

// The rules, and some of the cases, are those of cmd/go's splitPkgConfigOutput.
func TestSplitPkgConfig(t *testing.T) {
	for _, test := range []struct {
		in   string
		want []string
	}{
		{``, nil},
		{` `, nil},
		{"\t \n", nil},
		{`-I/usr/include -DX=1  -lz`, []string{"-I/usr/include", "-DX=1", "-lz"}},
		{"-la\n-lb\t-lc", []string{"-la", "-lb", "-lc"}},
		{"-la\r", []string{"-la\r"}}, // no separators of cmd/go's
		{"-la\v-lb\f-lc", []string{"-la\v-lb\f-lc"}},
		{`''`, []string{""}},
		{`"" ''`, []string{"", ""}},
		{`-D'A B'"C D"E`, []string{"-DA BC DE"}},
		{`'a"b' "c'd"`, []string{`a"b`, `c'd`}},
		{`'\$|;'`, []string{`\$|;`}},
		{`"|&;<>()"`, []string{"|&;<>()"}},
		{`"\$\"\\\` + "`" + `"`, []string{"$\"\\`"}},
		{`"a\bc"`, []string{`a\bc`}},
		{`\a\ b\'\"\$\|\;\\`, []string{`a b'"$|;\`}},
		{"a\\\nb", []string{"ab"}},
		{"\"a\\\nb\"", []string{"ab"}},
		{"\\\n", nil},
		{`\ `, []string{" "}},
		{`-I/opt/ü/include #x *?~{a,b}!%`, []string{"-I/opt/ü/include", "#x", "*?~{a,b}!%"}},
		{`"-r:foo" "-L/usr/white space/lib" "-lfoo bar" "-lbar baz"`,
			[]string{"-r:foo", "-L/usr/white space/lib", "-lfoo bar", "-lbar baz"}},
		{`-fextra_dirs=/"root/x'y z"/lib`, []string{`-fextra_dirs=/root/x'y z/lib`}},
	} {
		got, err := splitPkgConfig(test.in)
		if !slices.Equal(got, test.want) || err != nil {
			t.Errorf("splitPkgConfig(%q) = %q, %v; want %q", test.in, got, err, test.want)
		}
	}
}

func TestSplitPkgConfigErrors(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`-I$HOME`, `pkg-config printed the shell's character '$' without a quote: -I$HOME`},
		{`"-I$HOME"`, `pkg-config printed the shell's character '$' without a quote: "-I$HOME"`},
		{"\"`id`\"", "pkg-config printed the shell's character '`' without a quote: \"`id`\""},
		{"-l`id`", "pkg-config printed the shell's character '`' without a quote: -l`id`"},
		{`a|b`, `pkg-config printed the shell's character '|' without a quote: a|b`},
		{`a & b`, `pkg-config printed the shell's character '&' without a quote: a & b`},
		{`a; b`, `pkg-config printed the shell's character ';' without a quote: a; b`},
		{`a <b`, `pkg-config printed the shell's character '<' without a quote: a <b`},
		{`a >b`, `pkg-config printed the shell's character '>' without a quote: a >b`},
		{`(a`, `pkg-config printed the shell's character '(' without a quote: (a`},
		{`a)`, `pkg-config printed the shell's character ')' without a quote: a)`},
		{`a\`, `pkg-config printed a backslash at its end: a\`},
		{`"a`, `pkg-config printed an unbalanced quote: "a`},
		{`-D'a b`, `pkg-config printed an unbalanced quote: -D'a b`},
		{`a '`, `pkg-config printed an unbalanced quote: a '`},
	} {
		got, err := splitPkgConfig(test.in)
		if err == nil {
			t.Errorf("splitPkgConfig(%q) = %q, want the error %q", test.in, got, test.want)
		} else if err.Error() != test.want {
			t.Errorf("splitPkgConfig(%q): the error is\n%v, want\n%s", test.in, err, test.want)
		}
	}
}
