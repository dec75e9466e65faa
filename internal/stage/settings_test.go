package stage

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReadSettings(t *testing.T) {
	for _, test := range []struct {
		text string
		want Config
		err  string
	}{
		{"", Config{Flags: []string{"-trimpath"}, Package: []string{"."}, Env: map[string]string{"A": "1", "B": "2"}}, ""},
		{
			"ldflags=-X 'main.note=two words' -buildid=\x00gcflags=-N -l\x00tags=a  b\x00subPackages=cmd/x\ncmd/y\x00excludedPackages=cmd/z\x00B=3=4\x00C=\x00",
			Config{
				Flags:    []string{"-trimpath", "-ldflags=-X 'main.note=two words' -buildid=", "-gcflags=-N -l", "-tags=a,b"},
				Package:  []string{"cmd/x", "cmd/y"},
				Excluded: []string{"cmd/z"},
				Env:      map[string]string{"A": "1", "B": "3=4", "C": ""},
			},
			"",
		},
		{"tags= \x00", Config{Flags: []string{"-trimpath"}, Package: []string{"."}, Env: map[string]string{"A": "1", "B": "2"}}, ""},
		{
			"sources=/build/source\x00modRoot=server\x00ldflags=-X main.a=/build/source/x:/build/sources:/build/source-2\x00CGO_LDFLAGS=-L/build/source/c -L/build/source\x00",
			Config{
				Flags:   []string{"-trimpath", "-ldflags=-X main.a=/plan/src/x:/build/sources:/build/source-2"},
				Package: []string{"."},
				ModRoot: "server",
				Env:     map[string]string{"A": "1", "B": "2", "CGO_LDFLAGS": "-L/plan/src/c -L/plan/src"},
			},
			"",
		},
		{
			"GOFLAGS=-mod=vendor -race -trimpath\x00",
			Config{Flags: []string{"-trimpath"}, Package: []string{"."}, Env: map[string]string{"A": "1", "B": "2", "GOFLAGS": "-race"}},
			"",
		},
		{
			"GOFLAGS=-mod=mod -race -mod=vendor -trimpath\x00",
			Config{Flags: []string{"-trimpath"}, Package: []string{"."}, Env: map[string]string{"A": "1", "B": "2", "GOFLAGS": "-race"}},
			"",
		},
		{
			"GOFLAGS=-mod=vendor -trimpath -mod=mod\x00",
			Config{Flags: []string{"-trimpath"}, Package: []string{"."}, Env: map[string]string{"A": "1", "B": "2", "GOFLAGS": "-mod=mod"}},
			"",
		},
		{"tags", Config{}, `"tags" is not NAME=VALUE`},
	} {
		file := filepath.Join(t.TempDir(), "settings")
		if err := os.WriteFile(file, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{"A": "1", "B": "2"}
		cfg := Config{Settings: file, Flags: []string{"-trimpath"}, Package: []string{"."}, Env: env}
		err := cfg.readSettings("/plan/src")
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), file) {
				t.Errorf("%q: the error is %v", test.text, err)
			}
			continue
		}
		test.want.Settings = file
		if err != nil || !reflect.DeepEqual(cfg, test.want) {
			t.Errorf("%q: %+v, want %+v (%v)", test.text, cfg, test.want, err)
		}
		if len(env) != 2 || env["B"] != "2" {
			t.Errorf("the map of the caller was changed: %v", env)
		}
	}
	cfg := Config{}
	if err := cfg.readSettings("/plan/src"); err != nil {
		t.Error(err)
	}
	cfg.Settings = filepath.Join(t.TempDir(), "none")
	if err := cfg.readSettings("/plan/src"); err == nil {
		t.Error("a file that is not there is no error")
	}
}
