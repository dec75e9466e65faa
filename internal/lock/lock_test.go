package lock

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
)

const (
	sum   = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	hash  = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	hash2 = "sha256-BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
)

var (
	full = &Lock{
		Main: []string{"example.com/app", "example.com/tool"},
		Modules: []Module{
			{Path: "example.com/a", Version: "v1.2.0", Sum: sum, Hash: hash},
			{Path: "example.com/b", Version: "v1.0.0", Replace: module.Version{Path: "example.com/Fork", Version: "v1.2.0"}, Sum: sum, Hash: hash2},
			{Path: "example.com/unneeded", Version: "v2.0.0+incompatible"},
		},
		GoMods: &GoMods{Hash: hash, Modules: []module.Version{
			{Path: "example.com/x", Version: "v1.0.0"}, {Path: "example.com/x", Version: "v1.1.0"},
		}},
	}
	fullText = `{
  "version": 1,
  "main": ["example.com/app", "example.com/tool"],
  "modules": [
    {"path": "example.com/a", "version": "v1.2.0", "sum": "` + sum + `", "hash": "` + hash + `"},
    {"path": "example.com/b", "version": "v1.0.0", "replace": {"path": "example.com/Fork", "version": "v1.2.0"}, "sum": "` + sum + `", "hash": "` + hash2 + `"},
    {"path": "example.com/unneeded", "version": "v2.0.0+incompatible"}
  ],
  "goMods": {
    "hash": "` + hash + `",
    "modules": [
      "example.com/x@v1.0.0",
      "example.com/x@v1.1.0"
    ]
  }
}
`
	empty     = &Lock{Main: []string{"example.com/app"}}
	emptyText = "{\n  \"version\": 1,\n  \"main\": [\"example.com/app\"],\n  \"modules\": []\n}\n"
)

func TestFormat(t *testing.T) {
	shuffled := &Lock{
		Main:    []string{full.Main[1], full.Main[0]},
		Modules: []Module{full.Modules[2], full.Modules[0], full.Modules[1]},
		GoMods:  &GoMods{hash, []module.Version{full.GoMods.Modules[1], full.GoMods.Modules[0]}},
	}
	for _, test := range []struct {
		lock *Lock
		text string
	}{
		{full, fullText}, {shuffled, fullText}, {empty, emptyText},
	} {
		if got := string(test.lock.Format()); got != test.text {
			t.Errorf("got\n%s\nwant\n%s", got, test.text)
		}
	}
	for text, want := range map[string]*Lock{fullText: full, emptyText: empty} {
		if got, err := Parse(Name, []byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("parsed into %+v (%v), want %+v", got, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	// Each of these changes makes the text invalid.
	for _, test := range []struct{ old, new, want string }{
		{`"version": 1,`, `"version": 2,`, "dgd.lock:2: the format has version 2, and this dgd reads version 1: take the dgd that wrote it, or write it anew with `dgd lock`"},
		{fullText, "{\n\"version\": 2, \"mains\": []}", "dgd.lock:2: the format has version 2, and this dgd"},
		{`"version": 1,`, `"version": "1",`, `dgd.lock:2: the format has version 1, and this dgd`},
		{`"version": 1,`, ``, `dgd.lock:16: the lock has no "version"`},
		{`"version": 1,`, `"Version": 1,`, `dgd.lock:2: the lock has the unknown key "Version"`},
		{`"version": 1,`, `"version": 1, "version": 1,`, `dgd.lock:2: the lock has the key "version" twice`},
		{fullText, ``, "dgd.lock:1: the file ends in the middle: `dgd lock` writes it anew"},
		{fullText, `[]`, "dgd.lock:1: the lock is not an object"},
		{fullText, fullText + "{}", "dgd.lock:17: there is text behind the end of the lock: `dgd lock` writes it anew"},
		{fullText, fullText[:300], "dgd.lock:6: the file ends in the middle: `dgd lock` writes it anew"},
		{`    {"path": "example.com/b"`, "<<<<<<< HEAD\n", "dgd.lock:6: not JSON: invalid character '<' looking for beginning of value: `dgd lock` writes it anew"},
		{`["example.com/app", "example.com/tool"]`, `"example.com/app"`, "dgd.lock:3: main is not an array"},
		{`["example.com/app", "example.com/tool"]`, `[]`, "dgd.lock:16: main names no module"},
		{`"example.com/tool"`, `"example.com/app"`, "dgd.lock:3: main module example.com/app is listed twice"},
		{`"example.com/tool"`, `"../tool"`, `dgd.lock:3: malformed import path "../tool"`},
		{`"example.com/tool"`, `1`, "dgd.lock:3: a path in main is not a string"},
		{`"example.com/b", "version": "v1.0.0"`, `"example.com/a", "version": "v1.0.0"`, "dgd.lock:6: module example.com/a is listed twice"},
		{`"path": "example.com/a", `, ``, `dgd.lock:5: a module has no "path"`},
		{`"example.com/a", "version": "v1.2.0"`, `"example.com/a"`, `dgd.lock:5: module example.com/a: a module has no "version"`},
		{`"v1.2.0", "sum"`, `"1.2.0", "sum"`, `dgd.lock:5: module example.com/a: "1.2.0" is not a version`},
		{`"v1.2.0", "sum"`, `"v1.2", "sum"`, `dgd.lock:5: module example.com/a: "v1.2" is not a version`},
		{`"path": "example.com/a"`, `"path": "/a"`, `dgd.lock:5: module /a: malformed import path "/a"`},
		{`"sum": "` + sum + `", "hash": "` + hash + `"`, `"hash": "` + hash + `"`, "dgd.lock:5: module example.com/a: it has only one of sum and hash"},
		{`"sum": "` + sum + `"`, `"sum": ""`, `dgd.lock:5: module example.com/a: sum is "", not "h1:" and the base64 of a SHA-256 hash`},
		{`"hash": "` + hash + `"`, `"hash": "sha256-AAAA"`, `dgd.lock:5: module example.com/a: hash is "sha256-AAAA", not "sha256-" and the base64 of a SHA-256 hash`},
		{`"hash": "` + hash + `"`, `"hash": "sha512-` + hash[7:] + `"`, `dgd.lock:5: module example.com/a: hash is "sha512-`},
		{`"hash": "` + hash + `"`, `"hash": "sha256-` + strings.Replace(hash[7:], "AAA=", "AAB=", 1) + `"`, `dgd.lock:5: module example.com/a: hash is "sha256-`},
		{`"hash": "` + hash + `"`, `"hash": null`, `dgd.lock:5: module example.com/a: hash is not a string`},
		{`"hash": "` + hash2 + `"`, `"hash": "` + hash2 + `", "size": 1`, `dgd.lock:6: module example.com/b: a module has the unknown key "size"`},
		{`{"path": "example.com/Fork", "version": "v1.2.0"}`, `"./fork"`, "dgd.lock:6: module example.com/b: replace is not an object"},
		{`{"path": "example.com/Fork", "version": "v1.2.0"}`, `{"path": "./fork"}`, `dgd.lock:6: module example.com/b: replace has no "version"`},
		{`{"path": "example.com/Fork", "version": "v1.2.0"}`, `{"path": "./fork", "version": "v1.0.0"}`, `dgd.lock:6: module example.com/b: `},
		{`"example.com/x@v1.1.0"`, `"example.com/x@v1.0.0"`, "dgd.lock:13: goMods: example.com/x@v1.0.0 is listed twice"},
		{`"example.com/x@v1.1.0"`, `"example.com/x"`, "dgd.lock:13: goMods: example.com/x@: "},
		{`"hash": "` + hash + "\",\n", "", `dgd.lock:14: goMods has no "hash"`},
	} {
		text := strings.Replace(fullText, test.old, test.new, 1)
		if text == fullText {
			t.Fatalf("%q is not in the text", test.old)
		}
		_, err := Parse(Name, []byte(text))
		if serr := (*SyntaxError)(nil); !errors.As(err, &serr) || serr.Unwrap() == nil {
			t.Errorf("%q: %v is not a SyntaxError", test.new, err)
		} else if !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q:\ngot  %s\nwant %s", test.new, err, test.want)
		}
	}
}

// FuzzParse checks that a lock is the same after Format and Parse, and that errors
// name a line.
func FuzzParse(f *testing.F) {
	for _, text := range []string{fullText, emptyText, "", "{", fullText[:500], strings.ReplaceAll(fullText, "\n", " ")} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Parse(Name, text)
		if err != nil {
			var serr *SyntaxError
			if !errors.As(err, &serr) || serr.Line < 1 || serr.Line > 1+strings.Count(string(text), "\n") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		written := l.Format()
		again, err := Parse(Name, written)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", text, written, err)
		}
		if twice := again.Format(); !slices.Equal(twice, written) {
			t.Fatalf("%q, then %q", written, twice)
		}
	})
}
