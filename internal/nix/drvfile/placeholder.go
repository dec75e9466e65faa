package drvfile

import (
	"crypto/sha256"
	"path"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"
	"github.com/nix-community/go-nix/pkg/nixhash"
)

// Placeholder returns the placeholder for an output of the derivation itself, as
// builtins.placeholder does.
func Placeholder(output string) string {
	return inText(sha256.Sum256([]byte("nix-output:" + output)))
}

// InputPlaceholder returns the placeholder for an output of the input derivation
// drv.
func InputPlaceholder(drv, output string) string {
	return inText(upstream(drv, output))
}

// DynamicPlaceholder returns the placeholder for the output of of a derivation
// that is itself an output of drv.
func DynamicPlaceholder(drv, output, of string) string {
	made := upstream(drv, output)
	short := nixbase32.EncodeToString(nixhash.CompressHash(made[:], 20))
	return inText(sha256.Sum256([]byte("nix-computed-output:" + short + ":" + of)))
}

// upstream returns the hash that identifies an output of a derivation.
func upstream(drv, output string) [sha256.Size]byte {
	hash, name, _ := strings.Cut(strings.TrimSuffix(path.Base(drv), ".drv"), "-")
	if output != "out" {
		name += "-" + output
	}
	return sha256.Sum256([]byte("nix-upstream-output:" + hash + ":" + name))
}

// inText returns a hash as placeholders have it.
func inText(sum [sha256.Size]byte) string {
	return "/" + nixbase32.EncodeToString(sum[:])
}
