package lock

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// A checkCase is a case of testdata/check.json, which tests lib/fetch/lock.nix, too.
type checkCase struct {
	Name     string
	GoMods   []string
	GoWork   *string
	GoSums   []string
	Lock     json.RawMessage
	Findings []string
}

func (c checkCase) project() *ModFiles {
	p := &ModFiles{}
	for i, text := range c.GoMods {
		p.GoMods = append(p.GoMods, File{fmt.Sprintf("%d/go.mod", i), []byte(text)})
	}
	for i, text := range c.GoSums {
		p.GoSums = append(p.GoSums, File{fmt.Sprintf("%d/go.sum", i), []byte(text)})
	}
	if c.GoWork != nil {
		p.GoWork = &File{"go.work", []byte(*c.GoWork)}
	}
	return p
}

func TestCheck(t *testing.T) {
	text, err := os.ReadFile("testdata/check.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []checkCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.Name] {
			t.Errorf("two cases are called %q", c.Name)
		}
		seen[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			l, err := Parse("dgd.lock", c.Lock)
			if err != nil {
				t.Fatal(err)
			}
			found, err := Check(l, c.project())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.String())
			}
			if !slices.Equal(got, c.Findings) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.Findings, "\n"))
			}
		})
	}
}

func TestCheckErrors(t *testing.T) {
	good := File{"go.mod", []byte("module example.com/app\n")}
	for _, test := range []struct {
		project ModFiles
		want    string
	}{
		{ModFiles{GoMods: []File{{"go.mod", []byte("modul x\n")}}}, "go.mod:1: unknown directive: modul"},
		{ModFiles{GoMods: []File{{"a/go.mod", []byte("go 1.24\n")}}}, "a/go.mod names no module"},
		{ModFiles{GoMods: []File{good}, GoWork: &File{"go.work", []byte("go\n")}}, "go.work:1: go directive expects exactly one argument"},
		{ModFiles{GoMods: []File{good}, GoSums: []File{{"go.sum", []byte("a v1.0.0 h1:x\n\na v1.0.0\n")}}},
			"go.sum:3: a line must be a module, a version and a checksum: repair the file by `go mod tidy`"},
	} {
		_, err := Check(&Lock{Main: []string{"example.com/app"}}, &test.project)
		if err == nil || err.Error() != test.want {
			t.Errorf("the error is %v, want %s", err, test.want)
		}
	}
}
