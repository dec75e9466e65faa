package stage

import (
	"slices"
	"testing"
)

func TestForStd(t *testing.T) {
	for _, test := range []struct {
		flags   []string
		goflags string
		want    []string
		wantEnv string
	}{
		{flags: []string{"-trimpath", "-tags=a,b"}, want: []string{"-trimpath", "-tags=a,b"}},
		{flags: []string{"-gcflags=-N -l"}},
		{flags: []string{"-gcflags= -N"}},
		{flags: []string{"-gcflags="}},
		{flags: []string{"-gcflags=all=-N -l"}, want: []string{"-gcflags=all=-N -l"}},
		{goflags: "-race", wantEnv: "-race"},
		{goflags: "-cover -covermode=atomic --coverpkg=./... -race", wantEnv: "-race"},
		{goflags: "-buildmode=c-shared", wantEnv: "-buildmode=pie"},
		{goflags: "--buildmode=c-archive", wantEnv: "-buildmode=pie"},
		{goflags: "-buildmode=pie", wantEnv: "-buildmode=pie"},
		{goflags: "-buildmode=exe", wantEnv: "-buildmode=archive"},
		{goflags: "-buildmode=plugin\n-race", wantEnv: "-race"},
		{goflags: `'-gcflags=all=-N -l' "-asmflags=-D 'X'" '-asmflags=all=-D "X"'`, wantEnv: `"-gcflags=all=-N -l" '-asmflags=all=-D "X"'`},
	} {
		cfg := &Config{Flags: test.flags, Env: map[string]string{"GOARCH": "arm64"}}
		if test.goflags != "" {
			cfg.Env["GOFLAGS"] = test.goflags
		}
		got, err := forStd(cfg)
		if err != nil {
			t.Errorf("%q %s: %v", test.flags, test.goflags, err)
			continue
		}
		if !slices.Equal(got.Flags, test.want) || got.Env["GOFLAGS"] != test.wantEnv || got.Env["GOARCH"] != "arm64" {
			t.Errorf("%q %s: got %q %v, want %q %s", test.flags, test.goflags, got.Flags, got.Env, test.want, test.wantEnv)
		}
		if cfg.Env["GOFLAGS"] != test.goflags {
			t.Errorf("%s: the program's own flags have become %s", test.goflags, cfg.Env["GOFLAGS"])
		}
	}
	if _, err := forStd(&Config{Env: map[string]string{"GOFLAGS": "-race '-gcflags=-N"}}); err == nil {
		t.Error("a quote without an end is no error")
	}
}
