package buildscript

import "testing"

func TestUndot(t *testing.T) {
	tests := []struct{ dir, word, want string }{
		{"/src/p", ".", "/src/p"},
		{"/src/p", "./x.c", "/src/p/x.c"},
		{"/a/b", ".c/x.go", "/a/bc/x.go"},
		{"$WORK/b001/", "./x.c", "$WORK/b001/x.c"},
		{"$WORK/b001/", ".x", ".x"},
		{"$WORK/b001", "./_x001.o", "$WORK/b001/_x001.o"},
		{"/src/p", "..", ".."},
		{"/src/p", "../x", "../x"},
		{"/src/p", "/src/p/x.c", "/src/p/x.c"},
		{"/src/p", "./a b.c", "./a b.c"},
		{"/my src/p", "./x.c", "./x.c"},
		{".", "./x.c", "./x.c"},
		{"", "./x.c", "./x.c"},
		{"/", "./x.c", "./x.c"},
		{"/src/p", "", ""},
	}
	for _, test := range tests {
		if got := Undot(test.dir, test.word); got != test.want {
			t.Errorf("Undot(%q, %q) = %q, want %q", test.dir, test.word, got, test.want)
		}
	}
}
