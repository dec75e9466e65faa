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

// Recursive is the Store behind the socket that a derivation gets that
// requires the system feature recursive-nix.
//
// What it can see of the store, as of Nix 2.34: the derivation's inputs with
// their closures, and what it has added. Everything else it is told is not
// valid, even if it is.
type Recursive struct {
	dir    string
	out    string // where the output of the client's derivation belongs
	client *daemon.Client

	requests int
	broken   error // why the connection cannot be used any more
}

// OpenRecursive connects to the daemon that the value of NIX_REMOTE names
// (unix://PATH). storeDir is the store directory, /nix/store but for stores
// that were built for another one.
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

// socket returns the path that the value of NIX_REMOTE names.
func socket(remote string) (string, error) {
	path, ok := strings.CutPrefix(remote, "unix://")
	if !ok {
		return "", fmt.Errorf("NIX_REMOTE is %q, not unix://PATH: does the derivation require the system feature recursive-nix?", remote)
	}
	return path, nil
}

// Close implements Store.
func (r *Recursive) Close() error { return r.client.Close() }

// Requests returns how many requests to add something were sent so far.
func (r *Recursive) Requests() int { return r.requests }

// Valid reports for each path whether the store has it and lets this client use
// it. A path for which it says false may still be in the store.
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

// Add implements Store. Probes leave behind, for the garbage collector, text
// files named dgd-probe.
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

// SubmitDerivation implements Store.
func (r *Recursive) SubmitDerivation(ctx context.Context, d Derivation) error {
	return writeOutput(ctx, r.out, d.ATerm)
}

// SubmitFile implements Store.
func (r *Recursive) SubmitFile(ctx context.Context, contents []byte) error {
	return writeOutput(ctx, r.out, contents)
}

// probe adds an object that refers to the paths, see [adder].
//
// It must never be the same twice: Nix 2.34, after it has refused an object
// for what that refers to, takes the object for valid until its process ends,
// and would not add it any more. For the same reason, probes cannot be
// replaced by trying to add what is wanted.
func (r *Recursive) probe(ctx context.Context, paths []string) (missing string, ok bool, err error) {
	d := &Derivation{Name: "dgd-probe", ATerm: []byte(rand.Text()), Refs: paths}
	err = r.send(ctx, []*object{{path: d.Path(r.dir), name: d.Name, refs: paths, drv: d}})
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

// A request is at most this long. The daemon may send messages about each
// object while the client does not read; that must fit in a socket's buffer.
const (
	maxObjects = 250
	maxBytes   = 16 << 20
)

// inChunks sends objects, some at a time.
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
			bytes += int64(len(o.drv.ATerm))
		}
		if i > 0 && (i == maxObjects || bytes > maxBytes) {
			return i
		}
	}
	return len(objects)
}

// send adds objects in one request. Of the operations of the protocol it takes
// the one for many paths, for a single one as well.
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

// names are what objects are called in messages.
func names(objects []*object) string {
	if n := len(objects) - 1; n > 0 {
		return fmt.Sprintf("%s and %d more", objects[0].name, n)
	}
	return objects[0].name
}

// writeObjects writes the body of a request to add objects.
func writeObjects(enc *wire.Encoder, objects []*object, version uint64) error {
	// Neither repair, nor go without checks.
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

// write writes an object as the protocol has it: its path info and its NAR.
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
	text := sha256.Sum256(o.drv.ATerm)
	nar := nar.FileNAR(o.drv.ATerm)
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

// failed returns the error of a request, or the reason that ctx ended. It notes
// that the connection is broken, if that is so: after an error that the daemon
// sent it goes on, after any other it is not known what comes next.
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

// plain is a message of Nix without the codes of colours: where it is shown is
// not known here.
func plain(message string) string { return colour.ReplaceAllString(message, "") }
