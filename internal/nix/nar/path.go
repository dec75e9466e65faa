package nar

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"
	"github.com/nix-community/go-nix/pkg/nixhash"
)

// maxName is the length in bytes of the longest name that [Name] returns. Nix
// allows 211; the rest is for suffixes such as ".drv".
const maxName = 200

// Name returns a valid name of a store path for any string, such as an import path
// or a module with its version: characters that Nix does not allow become dashes,
// and of a long string only the end is kept, which is the most specific part of an
// import path. Different strings may have the same name.
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
		// Nix does not allow a leading dot, and programs would take a leading
		// dash for a flag.
		name[0] = '_'
	}
	return string(name)
}

// validInName reports whether Nix allows a character in the name of a store path.
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

// makePath returns a store path, as Nix's makeStorePath does: the hash in it is of
// a description of the contents, not of the contents.
func makePath(storeDir, kind string, sum [sha256.Size]byte, name string) string {
	desc := sha256.Sum256([]byte(kind + ":sha256:" + hex.EncodeToString(sum[:]) + ":" + storeDir + ":" + name))
	return storeDir + "/" + nixbase32.EncodeToString(nixhash.CompressHash(desc[:], 20)) + "-" + name
}
