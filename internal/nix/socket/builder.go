package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"dgd/internal/nix/nar"

	"github.com/nix-community/go-nix/pkg/daemon"
	"github.com/nix-community/go-nix/pkg/wire"
)

// Builder is the Client for derivations that require the system feature
// builder-rpc-v0, which Nix has since July 2026. The socket speaks the protocol of
// the daemon as it was then, with few operations: to add objects, to ask whether a
// path is valid, and to submit an output. docs/design.md has the sources for
// these facts.
//
// Unlike Recursive it does not probe which objects the store has: here adding is
// cheap, as it mounts nothing in the sandbox.
//
// An object that the daemon has refused must not be added again: Nix may then take
// it for valid without having it.
type Builder struct {
	dir  string // the store directory
	name string // of the client's derivation
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer

	broken error // why the connection can no longer be used, or nil
}

const (
	// builderVersion is the version of the protocol, which is fixed.
	builderVersion = daemon.ProtoVersionFeatureExchange

	opSubmitOutput       = daemon.Operation(1000)
	opAddToStoreScanning = daemon.Operation(1001)
)

// builderFeatures are the features of the protocol that the client uses. They do
// not change the format of the operations that it uses.
var builderFeatures = []string{"add-to-store-scanning", "submit-output"}

// OpenBuilder connects to the store socket of a sandbox with builder-rpc-v0.
func OpenBuilder(ctx context.Context, s Sandbox) (*Builder, error) {
	path, err := socket(s.Remote)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("connecting to the Nix daemon at %s: %w", path, err)
	}
	b := &Builder{dir: s.StoreDir, name: s.Name, conn: conn, r: bufio.NewReader(conn), w: bufio.NewWriter(conn)}
	if err := b.during(ctx, b.handshake); err != nil {
		return nil, errors.Join(fmt.Errorf("handshake with the Nix daemon at %s: %w", path, err), conn.Close())
	}
	return b, nil
}

// handshake exchanges the versions and features of the protocol.
func (b *Builder) handshake() error {
	enc := wire.NewEncoder(b.w)
	dec := wire.NewDecoder(b.r, daemon.MaxStringSize)
	if err := errors.Join(enc.WriteUint64(daemon.ClientMagic), b.w.Flush()); err != nil {
		return err
	}
	magic, err := dec.ReadUint64()
	if err != nil {
		return err
	}
	if magic != daemon.ServerMagic {
		return fmt.Errorf("it answers %#x, not %#x", magic, uint64(daemon.ServerMagic))
	}
	version, err := dec.ReadUint64()
	if err != nil {
		return err
	}
	if version < builderVersion {
		return fmt.Errorf("it speaks version %d.%d of the protocol, not %d.%d",
			version>>8, version&0xff, builderVersion>>8, builderVersion&0xff)
	}
	if err := errors.Join(enc.WriteUint64(builderVersion), enc.WriteStrings(builderFeatures), b.w.Flush()); err != nil {
		return err
	}
	features, err := dec.ReadStrings()
	if err != nil {
		return err
	}
	for _, want := range builderFeatures {
		if !slices.Contains(features, want) {
			return fmt.Errorf("it does not offer %s: does the derivation require the system feature builder-rpc-v0?", want)
		}
	}
	// Neither CPU affinity, nor space to reserve.
	if err := errors.Join(enc.WriteBool(false), enc.WriteBool(false), b.w.Flush()); err != nil {
		return err
	}
	if _, err := dec.ReadString(); err != nil { // the version of Nix
		return err
	}
	if _, err := dec.ReadUint64(); err != nil { // whether it trusts this client
		return err
	}
	return daemon.ProcessStderr(b.r, nil, builderVersion)
}

// Close implements Client.
func (b *Builder) Close() error { return b.conn.Close() }

// Add implements Client.
func (b *Builder) Add(ctx context.Context, batch Batch) error {
	a, err := newAdder(b.dir, batch)
	if err != nil {
		return err
	}
	return inChunks(a.objects, func(part []*object) error {
		err := b.request(ctx, daemon.OpAddMultipleToStore,
			func(enc *wire.Encoder) error { return writeObjects(enc, part, builderVersion) },
			func(*wire.Decoder) error { return nil })
		if err != nil {
			return fmt.Errorf("adding %s to the store: %w", names(part), err)
		}
		return nil
	})
}

// SubmitDerivation implements Client.
func (b *Builder) SubmitDerivation(ctx context.Context, d TextFile) error {
	if d.Name != b.name {
		return fmt.Errorf("%s is to be the output of %s: its name must be the same", d.Name, b.name)
	}
	path := d.Path(b.dir)
	if err := b.Add(ctx, Batch{Files: []TextFile{d}, Use: []string{path}}); err != nil {
		return err
	}
	return b.submit(ctx, path)
}

// SubmitFile implements Client.
func (b *Builder) SubmitFile(ctx context.Context, contents []byte) error {
	var path string
	err := b.request(ctx, opAddToStoreScanning,
		func(enc *wire.Encoder) error {
			if err := errors.Join(enc.WriteString(b.name), enc.WriteString("fixed:r:sha256")); err != nil {
				return err
			}
			w := daemon.NewFramedWriter(enc.Writer())
			if _, err := w.Write(nar.FileNAR(contents)); err != nil {
				return err
			}
			return w.Close()
		},
		func(dec *wire.Decoder) (err error) {
			if path, err = dec.ReadString(); err != nil {
				return err
			}
			_, err = daemon.ReadPathInfo(dec, path, builderVersion)
			return err
		})
	if err != nil {
		return fmt.Errorf("adding %s to the store: %w", b.name, err)
	}
	return b.submit(ctx, path)
}

// submit makes a path the output of the client's derivation.
func (b *Builder) submit(ctx context.Context, path string) error {
	err := b.request(ctx, opSubmitOutput,
		func(enc *wire.Encoder) error {
			const opaque = 0 // a path, not the output of a derivation
			return errors.Join(enc.WriteUint64(opaque), enc.WriteString(path), enc.WriteString("out"))
		},
		func(dec *wire.Decoder) error {
			_, err := dec.ReadUint64()
			return err
		})
	if err != nil {
		return fmt.Errorf("submitting %s as the output: %w", path, err)
	}
	return nil
}

// request sends a request and reads the reply to it.
func (b *Builder) request(ctx context.Context, op daemon.Operation, body func(*wire.Encoder) error, reply func(*wire.Decoder) error) error {
	if b.broken != nil {
		return b.broken
	}
	return b.during(ctx, func() error {
		enc := wire.NewEncoder(b.w)
		err := enc.WriteUint64(uint64(op))
		if err == nil {
			err = body(enc)
		}
		if err == nil {
			err = b.w.Flush()
		}
		if err == nil {
			err = daemon.ProcessStderr(b.r, nil, builderVersion)
		}
		if err == nil {
			err = reply(wire.NewDecoder(b.r, daemon.MaxStringSize))
		}
		return err
	})
}

// during calls f, which uses the connection, and interrupts it when ctx ends. After
// any error other than one that the daemon sent, the connection is broken.
func (b *Builder) during(ctx context.Context, f func() error) error {
	stop := context.AfterFunc(ctx, func() { b.conn.SetDeadline(time.Unix(1, 0)) })
	err := f()
	if !stop() {
		err = context.Cause(ctx)
	}
	if derr := (*daemon.Error)(nil); errors.As(err, &derr) {
		derr.Message = plain(derr.Message)
	} else if err != nil {
		b.broken = fmt.Errorf("the connection to the Nix daemon failed before: %w", err)
		b.conn.Close()
	}
	return err
}
