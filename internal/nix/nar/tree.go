// Package nar turns files on disk into store paths: it describes trees of files,
// writes them as NARs, hashes them, and computes the paths that a Nix store gives
// them. It does not access a store.
package nar

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"

	"golang.org/x/sync/errgroup"
)

// A Tree is a set of files of one directory that becomes one store path, as
// builtins.path { name; path; filter; } makes it: symlinks stay symlinks, and of a
// file's mode only the owner's executable bit counts.
type Tree struct {
	// Name is the store path's name, without the hash: see [Name].
	Name string
	// Root is the directory on disk that becomes the store path.
	Root string
	// Files are the files in the tree, slash-separated and relative to Root,
	// in any order; the directories above them are implied. A directory in
	// the list stands for all that is below it. If Files is nil, everything
	// in Root is in the tree; if it is empty but not nil, nothing is.
	Files []string
	// Exclude are relative paths that are not in the tree, nor is anything
	// below them. Directories that become empty that way stay.
	Exclude []string
}

// A Hash is the SHA-256 of a tree's NAR, and the NAR's size in bytes.
type Hash struct {
	SHA256 [sha256.Size]byte
	Size   int64
}

// SRI returns the hash in the form that Nix expressions use: sha256-BASE64.
func (h Hash) SRI() string {
	return "sha256-" + base64.StdEncoding.EncodeToString(h.SHA256[:])
}

// Nix32 returns the hash in the form of the store's own records: the 52
// characters of Nix's base 32, with no prefix.
func (h Hash) Nix32() string {
	return nixbase32.EncodeToString(h.SHA256[:])
}

// StorePath returns the store path of a tree with that hash and name: that of
// builtins.path, of nix-store --add, and of a fixed-output derivation with
// outputHashMode = "recursive" and outputHashAlgo = "sha256".
func (h Hash) StorePath(storeDir, name string) string {
	return makePath(storeDir, "source", h.SHA256, name)
}

// Hash returns the hash of the tree. It reads all files.
func (t Tree) Hash() (Hash, error) {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	return t.hash(e)
}

func (t Tree) hash(e *encoder) (Hash, error) {
	sum := sha256.New()
	e.reset(sum)
	if err := t.write(e); err != nil {
		return Hash{}, err
	}
	h := Hash{Size: e.size}
	sum.Sum(h.SHA256[:0])
	return h, nil
}

// WriteNAR writes the tree as a NAR. After an error, which names the file that
// could not be read or the write that failed, w has a part of the NAR.
func (t Tree) WriteNAR(w io.Writer) error {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	e.reset(w)
	return t.write(e)
}

// A Hashed is a tree with its hash.
type Hashed struct {
	Tree
	Hash Hash
}

// StorePath returns the store path of the tree.
func (t Hashed) StorePath(storeDir string) string {
	return t.Hash.StorePath(storeDir, t.Name)
}

// HashAll hashes trees, GOMAXPROCS at once, and returns them in the same order. It
// stops at the first error, or when ctx ends, and returns after all its goroutines
// have ended.
func HashAll(ctx context.Context, trees []Tree) ([]Hashed, error) {
	hashed := make([]Hashed, len(trees))
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, tree := range trees {
		group.Go(func() error {
			if running.Err() != nil {
				return context.Cause(running)
			}
			hash, err := tree.Hash()
			hashed[i] = Hashed{tree, hash}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return hashed, nil
}

// checkRel returns an error unless a path is relative and clean, as the paths of a
// tree must be.
func checkRel(name string) error {
	if name == "" {
		return fmt.Errorf("empty path")
	}
	for elem := range strings.SplitSeq(name, "/") {
		if elem == "" || elem == "." || elem == ".." || strings.IndexByte(elem, 0) >= 0 {
			return fmt.Errorf("%q is not a clean relative path", name)
		}
	}
	return nil
}
