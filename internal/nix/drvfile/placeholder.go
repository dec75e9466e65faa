package drvfile

import (
	"crypto/sha256"
	"path"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"
	"github.com/nix-community/go-nix/pkg/nixhash"
)

// Placeholder is the placeholder of a derivation's own output, whose path is not
// known yet.
func Placeholder(output string) string {
	return inText(sha256.Sum256([]byte("nix-output:" + output)))
}

// InputPlaceholder is what stands for an output whose path is not known yet in
// the derivations that read it.
func InputPlaceholder(drv, output string) string {
	return inText(upstream(drv, output))
}

// DynamicPlaceholder is the same for the output of a derivation that is itself
// the output of drv.
func DynamicPlaceholder(drv, output, of string) string {
	made := upstream(drv, output)
	short := nixbase32.EncodeToString(nixhash.CompressHash(made[:], 20))
	return inText(sha256.Sum256([]byte("nix-computed-output:" + short + ":" + of)))
}

func upstream(drv, output string) [sha256.Size]byte {
	hash, name, _ := strings.Cut(strings.TrimSuffix(path.Base(drv), ".drv"), "-")
	if output != "out" {
		name += "-" + output
	}
	return sha256.Sum256([]byte("nix-upstream-output:" + hash + ":" + name))
}

func inText(sum [sha256.Size]byte) string {
	return "/" + nixbase32.EncodeToString(sum[:])
}
