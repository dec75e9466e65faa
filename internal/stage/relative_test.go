package stage

import (
	"strings"
	"testing"
)

// Paths of the environment that lead into the sources.
func TestRelativeEnv(t *testing.T) {
	for text, want := range map[string]bool{
		"":                    false,
		"CPATH=/a:/b":         false,
		"CPATH=":              false,
		"CPATH=/a:b":          true,
		"C_INCLUDE_PATH=/a:":  true,
		"LIBRARY_PATH=../lib": true,
		"PKG_CONFIG_PATH=pc":  true,
		"PATH=bin":            false,
		"NIX_CFLAGS_COMPILE=-frandom-seed=x -isystem /a -I/b -O2":  false,
		"NIX_CFLAGS_COMPILE=-I../include":                          true,
		"NIX_CFLAGS_COMPILE=-isystem include":                      true,
		"NIX_CFLAGS_COMPILE_x86_64_unknown_linux_gnu=-include x.h": true,
		"NIX_LDFLAGS=-rpath /a/lib -L/a/lib -z relro -lfoo":        false,
		"NIX_CFLAGS_COMPILE=-fprofile-use=../a.prof":               true,
		"NIX_CFLAGS_COMPILE=-Wa,-I,a/b":                            true,
		"NIX_CFLAGS_COMPILE=-DX=a/b -std=c11 -Wl,-rpath,/a/b":      false,
		"NIX_CFLAGS_COMPILE=-DHAS=__has_include(<x.h>)":            true,
		"NIX_CFLAGS_COMPILE=-isysroot sys":                         true,
		"NIX_CFLAGS_COMPILE=--sysroot=sys":                         true,
		"NIX_CFLAGS_COMPILE=-iprefix/a/ -specs=/a/b":               false,
		"NIX_LDFLAGS=-Llib":                                        true,
		"NIX_LDFLAGS=../x.a":                                       true,
		"NIX_LDFLAGS=@args":                                        true,
		"OTHER=x\x00NIX_CFLAGS_COMPILE=-I .":                       true,
	} {
		if got := relativeEnv(strings.Split(text, "\x00")); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
