package socket

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"dgd/internal/nix/nar"

	"github.com/nix-community/go-nix/pkg/daemon"
	"github.com/nix-community/go-nix/pkg/nixbase32"
	"github.com/nix-community/go-nix/pkg/wire"
)

// Recursive is the Client for derivations that require the system feature
// recursive-nix.
//
// With Nix 2.34 it can see the closures of the derivation's inputs and the objects
// that it has added. The daemon reports any other path as not valid, even if the
// store has it.
type Recursive struct {
	dir    string // the store directory
	out    string // the path of the output of the client's derivation
	client *daemon.Client

	requests int   // see Requests
	broken   error // why the connection can no longer be used, or nil
}

// OpenRecursive connects to the daemon at remote, the value of NIX_REMOTE
// (unix://PATH). storeDir is the store directory, usually /nix/store.
func OpenRecursive(ctx context.Context, remote, storeDir string) (*Recursive, error) {
	path, err := socket(remote)
	if err != nil {
		return nil, err
	}
	client, err := daemon.Connect(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("connecting to the Nix daemon at %s: %w", path, err)
	}
	return &Recursive{dir: storeDir, client: client}, nil
}

// socket returns the path in a value of NIX_REMOTE.
func socket(remote string) (string, error) {
	path, ok := strings.CutPrefix(remote, "unix://")
	if !ok {
		return "", fmt.Errorf("NIX_REMOTE is %q, not unix://PATH: does the derivation require the system feature recursive-nix?", remote)
	}
	return path, nil
}

// Close implements Client.
func (r *Recursive) Close() error { return r.client.Close() }

// Requests returns the number of requests to add objects that were sent so far. It
// is for tests.
func (r *Recursive) Requests() int { return r.requests }

// Valid reports for each path whether the store has it and this client can use it.
// If it is false, the path may still be in the store. Valid is for tests.
func (r *Recursive) Valid(ctx context.Context, paths []string) (map[string]bool, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	found, err := r.client.QueryValidPaths(ctx, paths, false)
	if err != nil {
		return nil, fmt.Errorf("asking the store which paths are valid: %w", r.failed(ctx, err))
	}
	valid := make(map[string]bool, len(paths))
	for _, path := range paths {
		valid[path] = false
	}
	for _, path := range found {
		valid[path] = true
	}
	return valid, nil
}

// Add implements Client. It leaves text files named dgd-probe in the store, which
// the garbage collector removes.
func (r *Recursive) Add(ctx context.Context, b Batch) error {
	a, err := newAdder(r.dir, b)
	if err != nil {
		return err
	}
	a.probe = func(paths []string) (string, bool, error) { return r.probe(ctx, paths) }
	a.addAll = func(objects []*object) error {
		return inChunks(objects, func(part []*object) error { return r.send(ctx, part) })
	}
	return a.add()
}

// SubmitDerivation implements Client.
func (r *Recursive) SubmitDerivation(ctx context.Context, d TextFile) error {
	return writeOutput(ctx, r.out, d.Text)
}

// SubmitFile implements Client.
func (r *Recursive) SubmitFile(ctx context.Context, contents []byte) error {
	return writeOutput(ctx, r.out, contents)
}

// probe adds an object that refers to the paths, see [adder].
//
// Each object is a new one: after Nix 2.34 has refused an object because of its
// references, it takes the object for valid until the process ends, and does not
// add it. For the same reason it is not possible to add the wanted objects without
// probing.
func (r *Recursive) probe(ctx context.Context, paths []string) (missing string, ok bool, err error) {
	d := &TextFile{Name: "dgd-probe", Text: []byte(rand.Text()), Refs: paths}
	err = r.send(ctx, []*object{{path: d.Path(r.dir), name: d.Name, refs: paths, file: d}})
	if err == nil {
		return "", true, nil
	}
	derr := (*daemon.Error)(nil)
	if !errors.As(err, &derr) {
		return "", false, err
	}
	for _, path := range paths {
		if strings.Contains(derr.Message, path) {
			return path, true, nil
		}
	}
	return "", false, nil
}

// The limits of a request. While the client sends it, the daemon may send messages
// about each object, which the client does not read yet: these must fit into the
// buffer of the socket.
const (
	maxObjects = 250
	maxBytes   = 16 << 20
)

// inChunks calls send for the objects, as many at once as a request may have.
func inChunks(objects []*object, send func([]*object) error) error {
	for len(objects) > 0 {
		n := chunk(objects)
		if err := send(objects[:n]); err != nil {
			return err
		}
		objects = objects[n:]
	}
	return nil
}

// chunk returns how many of the objects go into the next request: at least one.
func chunk(objects []*object) int {
	var bytes int64
	for i, o := range objects {
		if o.tree != nil {
			bytes += o.tree.Hash.Size
		} else {
			bytes += int64(len(o.file.Text))
		}
		if i > 0 && (i == maxObjects || bytes > maxBytes) {
			return i
		}
	}
	return len(objects)
}

// send adds objects in one request, AddMultipleToStore.
func (r *Recursive) send(ctx context.Context, objects []*object) error {
	if r.broken != nil {
		return r.broken
	}
	version := r.client.Info().Version
	if version < daemon.ProtoVersionAddMultipleToStore {
		return fmt.Errorf("the Nix daemon is too old: it speaks version %d.%d of the protocol, not %d.%d",
			version>>8, version&0xff, daemon.ProtoVersionAddMultipleToStore>>8, daemon.ProtoVersionAddMultipleToStore&0xff)
	}
	r.requests++
	resp, err := r.client.Execute(ctx, daemon.OpAddMultipleToStore, daemon.WithBody(func(enc *wire.Encoder) error {
		return writeObjects(enc, objects, version)
	}))
	if err == nil {
		err = errors.Join(resp.ReadLogs(nil), resp.Close())
	}
	if err != nil {
		return fmt.Errorf("adding %s to the store: %w", names(objects), r.failed(ctx, err))
	}
	return nil
}

// names returns the names of objects for messages.
func names(objects []*object) string {
	if n := len(objects) - 1; n > 0 {
		return fmt.Sprintf("%s and %d more", objects[0].name, n)
	}
	return objects[0].name
}

// writeObjects writes the body of a request to add objects.
func writeObjects(enc *wire.Encoder, objects []*object, version uint64) error {
	// Neither repair objects, nor skip the check of signatures.
	if err := errors.Join(enc.WriteBool(false), enc.WriteBool(false)); err != nil {
		return err
	}
	w := daemon.NewFramedWriter(enc.Writer())
	framed := wire.NewEncoder(w)
	if err := framed.WriteUint64(uint64(len(objects))); err != nil {
		return err
	}
	for _, o := range objects {
		if err := o.write(w, framed, version); err != nil {
			return err
		}
	}
	return w.Close()
}

// write writes an object: its path info and its NAR.
func (o *object) write(w io.Writer, enc *wire.Encoder, version uint64) error {
	info := daemon.PathInfo{StorePath: o.path, References: o.refs}
	if o.tree != nil {
		info.CA = "fixed:r:sha256:" + o.tree.Hash.Nix32()
		info.NarHash = "sha256:" + hex.EncodeToString(o.tree.Hash.SHA256[:])
		info.NarSize = uint64(o.tree.Hash.Size)
		if err := daemon.WritePathInfo(enc, &info, version); err != nil {
			return err
		}
		return o.tree.WriteNAR(w)
	}
	text := sha256.Sum256(o.file.Text)
	nar := nar.FileNAR(o.file.Text)
	sum := sha256.Sum256(nar)
	info.CA = "text:sha256:" + nixbase32.EncodeToString(text[:])
	info.NarHash = "sha256:" + hex.EncodeToString(sum[:])
	info.NarSize = uint64(len(nar))
	if err := daemon.WritePathInfo(enc, &info, version); err != nil {
		return err
	}
	_, err := w.Write(nar)
	return err
}

// failed returns the error of a request, or the cause if ctx has ended. After any
// error other than one that the daemon sent, it closes the connection, as its state
// is unknown.
func (r *Recursive) failed(ctx context.Context, err error) error {
	if derr := (*daemon.Error)(nil); errors.As(err, &derr) {
		derr.Message = plain(derr.Message)
	} else {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		r.broken = fmt.Errorf("the connection to the Nix daemon failed before: %w", err)
		r.client.Close()
	}
	return err
}

var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// plain returns a message of Nix without escape sequences for colours.
func plain(message string) string { return colour.ReplaceAllString(message, "") }
