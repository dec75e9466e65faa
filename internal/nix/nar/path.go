package nar

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"
	"github.com/nix-community/go-nix/pkg/nixhash"
)

// maxName is the length in bytes of the longest name that [Name] makes. Nix
// allows 211, of which callers may want some for a suffix such as ".drv".
const maxName = 200

// Name makes a valid store path name out of an import path, a module with its
// version, or any other string: what Nix does not allow becomes a dash, and of
// a long string the end is kept, which tells most in an import path. Different
// strings may get the same name.
func Name(s string) string {
	name := []byte(s)
	for i, c := range name {
		if !validInName(c) {
			name[i] = '-'
		}
	}
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	if len(name) == 0 {
		return "_"
	}
	if name[0] == '.' || name[0] == '-' {
		// Nix refuses the first as a hidden file, and programs would take
		// the second for a flag.
		name[0] = '_'
	}
	return string(name)
}

func validInName(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("+-._?=", c) >= 0
}

// TextPath returns the store path of a text file, as builtins.toFile and .drv
// files have it. refs are the store paths that the text refers to, in any
// order; each counts once.
func TextPath(storeDir, name string, contents []byte, refs []string) string {
	kind := "text"
	for _, ref := range slices.Compact(slices.Sorted(slices.Values(refs))) {
		kind += ":" + ref
	}
	return makePath(storeDir, kind, sha256.Sum256(contents), name)
}

// OutputPath returns the store path of an output of an input-addressed
// derivation. modulo is the hash of the derivation without paths of outputs.
func OutputPath(storeDir, drvName, output string, modulo [sha256.Size]byte) string {
	name := drvName
	if output != "out" {
		name += "-" + output
	}
	return makePath(storeDir, "output:"+output, modulo, name)
}

// makePath is Nix's makeStorePath: the hash in a store path is not the hash of
// the contents but of a description of them.
func makePath(storeDir, kind string, sum [sha256.Size]byte, name string) string {
	desc := sha256.Sum256([]byte(kind + ":sha256:" + hex.EncodeToString(sum[:]) + ":" + storeDir + ":" + name))
	return storeDir + "/" + nixbase32.EncodeToString(nixhash.CompressHash(desc[:], 20)) + "-" + name
}
