package action

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// lookup knows the tokens A and EMPTY, and one whose value looks like a token.
func lookup(name string) (string, bool) {
	value, ok := map[string]string{
		"A":     "/store/a",
		"EMPTY": "",
		"TOKEN": "${A} $$ $",
		"":      "no name",
	}[name]
	return value, ok
}

func TestExpand(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain {A} }", "plain {A} }"},
		{"${A}", "/store/a"},
		{"-I${A}/include:${A}", "-I/store/a/include:/store/a"},
		{"${A}${A}", "/store/a/store/a"},
		{"a${EMPTY}b", "ab"},
		{"$$", "$"},
		{"$$$$", "$$"},
		{"$${A}", "${A}"},
		{"$$${A}", "$/store/a"},
		{"${A}$$", "/store/a$"},
		{"a$$b.go", "a$b.go"},
		{"${TOKEN}", "${A} $$ $"}, // values are not expanded again
		{"${}", "no name"},
		{"ü${A}\xff\x00", "ü/store/a\xff\x00"},
	} {
		got, err := Expand(test.in, lookup)
		if got != test.want || err != nil {
			t.Errorf("Expand(%q) = %q, %v; want %q", test.in, got, err, test.want)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"$", `stray dollar sign in "$"`},
		{"a$b", `stray dollar sign in "a$b"`},
		{"$A", `stray dollar sign in "$A"`},
		{"$$$", `stray dollar sign in "$$$"`},
		{"${A", `token without an end in "${A"`},
		{"a${", `token without an end in "a${"`},
		{"${A}${B}", `unknown token ${B} in "${A}${B}"`},
		{"${a}", `unknown token ${a} in "${a}"`},
		{"${ A}", `unknown token ${ A} in "${ A}"`},
		{"${${A}}", `unknown token ${${A} in "${${A}}"`},
	} {
		got, err := Expand(test.in, lookup)
		if err == nil {
			t.Errorf("Expand(%q) = %q, want the error %q", test.in, got, test.want)
		} else if got != "" || err.Error() != test.want {
			t.Errorf("Expand(%q) = %q and the error\n%v, want\n%s", test.in, got, err, test.want)
		}
	}
}

func TestEscape(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"a.go", "a.go"},
		{"$", "$$"},
		{"$$", "$$$$"},
		{"${A}", "$${A}"},
		{"c$(id).go", "c$$(id).go"},
	} {
		if got := Escape(test.in); got != test.want {
			t.Errorf("Escape(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"", "a", "$", "$$", "${A}", "${", "${}", "$${A}", "${A}$$${EMPTY}", "${${A}}", "\xff$\x00"} {
		f.Add(s, "b")
	}
	f.Fuzz(func(t *testing.T, s, value string) {
		none := func(name string) (string, bool) {
			t.Errorf("the token %q in the escaped %q", name, s)
			return "", false
		}
		if got, err := Expand(Escape(s), none); got != s || err != nil {
			t.Errorf("Expand(Escape(%q)) = %q, %v", s, got, err)
		}
		// As a template: what is not a token stays, so that the values are all
		// there is to it.
		all := func(string) (string, bool) { return value, true }
		got, err := Expand(s, all)
		if err != nil {
			if got != "" {
				t.Errorf("Expand(%q) = %q together with the error %v", s, got, err)
			}
			return
		}
		before, rest, ok := strings.Cut(s, "${")
		if ok && !strings.Contains(before, "$") {
			_, after, _ := strings.Cut(rest, "}")
			tail, err := Expand(after, all)
			if want := before + value + tail; got != want || err != nil {
				t.Errorf("Expand(%q) = %q, want %q (%v)", s, got, want, err)
			}
		}
	})
}

// The JSON of a spec has sorted keys: the planner writes it as it comes, and
// evaluation by builtins.toJSON.
func TestSortedFields(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(of reflect.Type)
	check = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] {
			return
		}
		seen[of] = true
		var names []string
		for i := range of.NumField() {
			f := of.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				t.Errorf("%s.%s has no name in JSON", of, f.Name)
			}
			names = append(names, name)
			check(f.Type)
		}
		if !slices.IsSorted(names) {
			t.Errorf("the fields of %s are not sorted: %q", of, names)
		}
	}
	check(reflect.TypeFor[Spec]())
	if len(seen) < 10 {
		t.Errorf("only %d structs were seen", len(seen))
	}
}
