package bind

import (
	"slices"
	"strings"
	"testing"
)

// NamesIn knows every form in which a preprocessor or an assembler names files.
func TestNamesIn(t *testing.T) {
	for _, test := range []struct {
		text     string
		files    string // by spaces
		computed bool
		asks     bool
	}{
		{"#include \"a.h\"\n#include <b/c.h>", "a.h b/c.h", false, false},
		{"\ufeff#include \"a.h\"", "a.h", false, false},
		{"\ufeff#if __has_include(X)\n#endif", "", true, true},
		{"#import \"a.h\"\n# include_next <b.h>", "a.h b.h", false, false},
		{"#inc\\\nlude \"a.h\"\n#include \\\n\"b.h\"", "a.h b.h", false, false},
		{"#inc??/\nlude \"a.h\"", "a.h", false, false},
		{"#/**/include/* x */\"a.h\"", "a.h", false, false},
		{"# /* one\ntwo */ include /* three\nfour */ \"a.h\"", "a.h", false, false},
		{"/* one\ntwo */ #include \"a.h\"", "a.h", false, false},
		{"%:include \"a.h\"\n??=include \"b.h\"", "a.h b.h", false, false},
		{"#define X \"a/*\"\n#include X\n/* */", "", true, false},
		{"#include X", "", true, false},
		{"#include STR(../x.h)", "", true, false},
		{"/*\n   #include ...\n   #include 'x.h'\n*/", "", false, false},
		{"#embed \"a.bin\" limit(1)", "a.bin", false, false},
		{"#embed X", "", true, false},
		{"#if __has_include(\"a.h\") && __has_include ( <b.h> )\n#endif", "a.h b.h", false, false},
		{"#if __has_embed(\"a.bin\" limit(3))\n#elif __has_include_next(<b.h>)\n#endif", "a.bin b.h", false, false},
		{"#if __has_include(X)\n#endif", "", true, true},
		{"#if __has_\\\ninclude(X)\n#endif", "", true, true},
		{"#define HAS __has_include\n#define H2 __has_embed (X)", "", true, true},
		{"#if defined(__has_include) && defined __has_embed\n#endif\n#ifdef __has_include\n#endif", "", false, false},
		{"#ifndef __has_include\n#define __has_include(x) 0\n#endif", "", false, false},
		{"#if __has_##x(\"a.h\")", "a.h", true, true},
		{"#define H CAT(__has, _include)\n#if H(X)\n#endif", "", true, true},
		{"#if CAT(__, has_include)(X)\n#endif", "", true, true},
		{"#define HI(x) CAT(__has_inc, lude)(x)", "", true, true},
		{"#if HI(\"a.h\") || HI ( <b.h> )\n#endif", "a.h b.h", false, false},
		{"#if defined(__has_include) && (A <B)\n#elif CAT(__has_x, y)\n#endif", "", false, false},
		{"// __has_include(X) is for later\nint has_include;", "", false, false},
		{".incbin \"x.bin\"\n.include \"y.s\"", "x.bin y.s", false, false},
		{"asm(\".incbin \\\"x.bin\\\"\\n\\t.include \\\"y.s\\\"\");", "x.bin y.s", false, false},
		{"asm(\".incbin \" FILE);", "", true, false},
		{"asm(\".inc\" \"bin \\\"da\"\n\t\"ta.bin\\\"\\n\");", "data.bin", false, false},
		{"asm(\".incbin \\\"\" \"../x.bin\" \"\\\"\");", "../x.bin", false, false},
		{"asm(\".inc\" \"bin \" S(f) \"\\n\");", "", true, false},
		{"asm(\".incbin \\\"x\" NAME \".bin\\\"\\n\");", "", true, false},
		{"asm(\".incbin \" S(f) \"\\n.text\\n\");", "", true, false},
		{"#define S(x) #x\nasm(S(.incbin \"x.bin\"));", "x.bin", false, false},
		{"asm(S(.incbin) \" \\\"x.bin\\\"\");", "", true, false},
		{"asm(\".i\" S(ncbin) \" \\\"x.bin\\\"\");", "", true, false},
		{"asm(R\"(\n\t.incbin \"x.bin\"\n)\");", "x.bin", false, false},
		{"char q = '\"'; asm(\".incbin \\\"x.bin\\\"\");", "x.bin", false, false},
		{"#define INCBIN(d) .inc##d \"x.bin\"", "", true, false},
		{".macro m d\n.inc\\d \"x.bin\"\n.endm", "", true, false},
		{"m .incbin \"x.bin\", y", "x.bin", false, false},
		{"m incbin, \"x.bin\"", "", true, false},
		{".altmacro\n.incbin \"&f\"", "", true, false},
		{"#include \"table.inc\"\nputs(\"x.in\"); p->include = 1; a.i = 2;", "table.inc", false, false},
		{".macro m f\n.incbin \\f\n.endm", "", true, false},
		{"CAT(.inc,bin) \"x.bin\"", "", true, false},
		{"CAT(.inc , bin) \"x.bin\"", "", true, false},
		{"asm(STR(CAT(.incl,ude) \"x.bin\"));", "", true, false},
		{"asm(STR(.include \"x.s\"));", "x.s", false, false},
		{".macro m a, b\n.\\a\\b \"x.bin\"\n.endm", "", true, false},
		{".macro m a, b\n\\a\\()bin \"x.bin\"\n.endm", "", true, false},
		{".macro m op, a\nl: \\op \\a, %eax\n.endm", "", false, false},
		{"#pragma GCC dependency \"a.h\" rest\n#pragma once", "a.h", false, false},
		{"_Pragma(\"GCC dependency \\\"a.h\\\"\")", "", true, false},
		{"@import Foundation;", "", true, false},
		{"import \"a.h\";\nexport import <b>;", "a.h b", false, false},
		{"int x; // not #include \"a.h\"", "", false, false},
		{"s.include(x); important;", "", false, false},
	} {
		n := NamesIn("x.c", []byte(test.text))
		slices.Sort(n.Files)
		files := strings.Join(slices.Compact(n.Files), " ")
		if files != test.files || n.Computed != test.computed || n.Asks != test.asks {
			t.Errorf("%q: got %q, computed %v, asks %v", test.text, files, n.Computed, n.Asks)
		}
	}
}

// A pragma that gives headers other names makes any name possible.
func TestLoose(t *testing.T) {
	for text, want := range map[string]bool{
		"#pragma include_alias(\"a.h\", \"b.h\")": true, "#pragma clang module import x": true,
		"#pragma once": false, "#pragma GCC dependency \"a.h\"": false, "#include \"a.h\"": false,
	} {
		if n := NamesIn("x.c", []byte(text)); n.Loose != want {
			t.Errorf("%q: loose is %v", text, n.Loose)
		}
	}
}

// Directives of assembly that are made of pieces.
func TestNamesInAssembly(t *testing.T) {
	for text, want := range map[string]bool{
		"#define CAT(a, b) a##b\n\t.CAT(inc, bin) \"x\"":   true,
		"#define D(a, b) .a##b \"x\"\n\tD(inc, bin)":       true,
		"#define D(a, b) \\\n\t.a##b \"x\"\n\tD(inc, bin)": true,
		"l: .\\a \"x\"":                          true,
		"\tINC(AX, inc_x)\n\tMOVQ (inc)(AX), BX": false,
		"\tmov .L##x, %eax; ret":                 false,
	} {
		if n := NamesIn("x.S", []byte(text)); n.Loose != want {
			t.Errorf("%q: loose is %v", text, n.Loose)
		}
		if n := NamesIn("x.c", []byte(text)); n.Loose {
			t.Errorf("%q is loose in C", text)
		}
	}
}

// Only the preamble of a Go file counts.
func TestNamesInGo(t *testing.T) {
	n := NamesIn("x.go", []byte("package x\n\n// #include <a.h>\n//#include \"b.h\"\n// #if __has_include(X)\n// #endif\nimport \"C\"\n\n/*\n#include Y\n*/\nfunc f() {}\n"))
	if want := []string{"a.h", "b.h"}; !slices.Equal(n.Files[:2], want) || !n.Asks || len(n.Tails) != 1 {
		t.Errorf("got %+v", n)
	}
	n = NamesIn("x.go", []byte("package x\n\n// #include <a.h>\nimport \"fmt\"\n"))
	if n.Files != nil {
		t.Errorf("a file without cgo: got %+v", n)
	}
}
