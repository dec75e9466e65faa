package stage

import (
	"strings"
	"testing"

	"dgd/internal/gocmd"
	"dgd/internal/workspace"
)

// Errors of the go command about missing modules have advice for a lock, too.
func TestExplainLock(t *testing.T) {
	raised := []workspace.LockedModule{{Path: "a", Version: "v1.1.0", Locked: "v1.0.0"}}
	for _, test := range []struct {
		text    string
		modules []workspace.LockedModule
		want    string
	}{
		{"x: module lookup disabled by GOPROXY=off", nil, "dgd: dgd.lock lacks a module that the build needs: run `dgd lock`"},
		{"x: missing go.sum entry", nil, "run `go mod tidy`, then `dgd lock`"},
		{"x: no required module provides package y", nil, "run `go mod tidy`, then `dgd lock`"},
		{"x: no required module provides package y", raised, "dgd: moduleOverrides gives a the version v1.1.0, which may need modules that dgd.lock does not have"},
	} {
		got := explain(&gocmd.Failure{Text: test.text}, &Config{Lock: &workspace.Locked{Modules: test.modules}}).Error()
		if !strings.HasPrefix(got, test.text) || !strings.Contains(got, test.want) {
			t.Errorf("the message is %q, which lacks %q", got, test.want)
		}
	}
}
