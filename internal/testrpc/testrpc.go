// Package testrpc has a server for tests that imitates the store socket of
// derivations that require the system feature builder-rpc-v0. It behaves as Nix was
// observed to behave, including its bugs (see docs/design.md), and shares no code
// with the client.
package testrpc

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nix-community/go-nix/pkg/daemon"
	"github.com/nix-community/go-nix/pkg/nixbase32"
	"github.com/nix-community/go-nix/pkg/nixhash"
	"github.com/nix-community/go-nix/pkg/wire"

	"dgd/internal/nix/drvfile"
)

const storeDir = "/nix/store"

// The operations of the socket.
const (
	isValidPath        = 1
	addMultipleToStore = 44
	submitOutput       = 1000
	addToStoreScanning = 1001
)

// An Object is a store object that the builder has added.
type Object struct {
	Name   string
	Method string // of content addressing: "text" or "nar"
	NAR    []byte
	Refs   []string // sorted
}

// A Server serves the builder of one derivation on one connection.
type Server struct {
	Name   string   // of the derivation
	Method string   // the outputHashMode of the derivation: "text" or "nar"
	Others []string // store paths that the builder cannot see

	// Faults of the server.
	Magic    uint64   // if not 0, the magic number that it sends
	Version  uint64   // if not 0, the version of the protocol that it sends
	Features []string // if not nil, the features that it sends
	HangUp   bool     // it closes the connection in place of an answer

	Ops     []uint64          // the operations that were requested
	Objects map[string]Object // the added objects, by store path

	socket   string
	visible  map[string]bool // paths that the builder can see
	poisoned map[string]bool // objects that were refused because of their references
	outputs  map[string]string
	stop     func()
	done     chan error
}

// Start starts the server, which ends with the test. The builder can see the given
// store paths from the beginning.
func (s *Server) Start(t testing.TB, paths ...string) {
	t.Helper()
	s.socket = filepath.Join(t.TempDir(), ".nix-socket")
	s.Objects = map[string]Object{}
	s.outputs = map[string]string{}
	s.visible = map[string]bool{}
	s.poisoned = map[string]bool{}
	for _, path := range paths {
		s.visible[path] = true
	}
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	s.stop = func() { l.Close() }
	s.done = make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			s.done <- err
			return
		}
		defer conn.Close()
		s.done <- s.serve(bufio.NewReader(conn), bufio.NewWriter(conn))
	}()
	t.Cleanup(s.stop)
}

// Remote returns the value of NIX_REMOTE for the builder.
func (s *Server) Remote() string { return "unix://" + s.socket }

// Finish returns the store path and the output of the derivation, or the error that
// Nix reports, after the builder has ended successfully. The client must have closed
// the connection.
func (s *Server) Finish() (string, Object, error) {
	if err := <-s.done; err != nil {
		return "", Object{}, err
	}
	for output := range s.outputs {
		if output != "out" {
			return "", Object{}, fmt.Errorf("builder for '%s' submitted unknown output '%s' (Valid outputs are [out])", s.Name, output)
		}
	}
	path, ok := s.outputs["out"]
	if !ok {
		return "", Object{}, fmt.Errorf("builder for '%s' failed to submit output path for 'out'", s.Name)
	}
	o, ok := s.Objects[path]
	switch {
	case !ok:
		return "", Object{}, fmt.Errorf("path '%s' is not valid", path)
	case o.Name != s.Name:
		return "", Object{}, fmt.Errorf("output 'out' (at '%s') was named '%s', expected '%s'", path, o.Name, s.Name)
	case o.Method != s.Method:
		return "", Object{}, fmt.Errorf("output 'out' (at '%s') was hashed with method '%s', expected '%s'", path, o.Method, s.Method)
	}
	return path, o, nil
}

// conn is a connection with an encoder and a decoder of the protocol.
type conn struct {
	*wire.Encoder
	*wire.Decoder
	r *bufio.Reader
	w *bufio.Writer
}

// serve serves a connection until the client closes it.
func (s *Server) serve(r *bufio.Reader, w *bufio.Writer) error {
	c := conn{wire.NewEncoder(w), wire.NewDecoder(r, 1<<30), r, w}
	if err := s.greet(c); err != nil {
		return err
	}
	for {
		op, err := c.ReadUint64()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		s.Ops = append(s.Ops, op)
		if s.HangUp {
			return nil
		}
		do := map[uint64]func(conn) (reply func() error, err error){
			isValidPath: s.valid, addMultipleToStore: s.addMultiple, submitOutput: s.submit, addToStoreScanning: s.addScanning,
		}[op]
		if do == nil {
			// Nix does not read the request, sends the error twice, and closes the
			// connection.
			err := hint("Operation %v not allowed inside derivation", op)
			return errors.Join(c.fail(err), c.fail(err), fmt.Errorf("the client sent operation %d", op))
		}
		reply, err := do(c)
		if err == nil {
			err = errors.Join(c.WriteUint64(uint64(daemon.LogLast)), reply(), c.w.Flush())
		} else {
			err = c.fail(err)
		}
		if err != nil {
			return err
		}
	}
}

// greet is the handshake, with the version and the features of
// WorkerProto::builderRpcV0.
func (s *Server) greet(c conn) error {
	if magic, err := c.ReadUint64(); err != nil || magic != daemon.ClientMagic {
		return fmt.Errorf("the client greets with %#x, %v", magic, err)
	}
	version, magic := uint64(1<<8|38), uint64(daemon.ServerMagic)
	features := []string{"add-to-store-scanning", "disable-set-options", "realisation-with-path-not-hash", "submit-output"}
	if s.Version != 0 {
		version = s.Version
	}
	if s.Magic != 0 {
		magic = s.Magic
	}
	if s.Features != nil {
		features = s.Features
	}
	if err := errors.Join(c.WriteUint64(magic), c.WriteUint64(version), c.w.Flush()); err != nil {
		return err
	}
	theirs, err := c.ReadUint64()
	if err != nil {
		return nil // the client does not accept the version
	}
	if theirs != version {
		return fmt.Errorf("the client speaks version %#x", theirs)
	}
	wanted, err := c.ReadStrings()
	if err != nil {
		return err
	}
	if err := errors.Join(c.WriteStrings(features), c.w.Flush()); err != nil {
		return err
	}
	for range 2 { // CPU affinity, space to reserve
		if _, err := c.ReadUint64(); err != nil {
			return nil // the client misses a feature
		}
	}
	for _, want := range []string{"add-to-store-scanning", "submit-output"} {
		if !slices.Contains(wanted, want) {
			return fmt.Errorf("the client does not offer %s", want)
		}
	}
	const notTrusted = 2
	return errors.Join(c.WriteString("2.36.0"), c.WriteUint64(notTrusted), c.WriteUint64(uint64(daemon.LogLast)), c.w.Flush())
}

// hint returns an error as Nix writes it, with the arguments in colour.
func hint(format string, args ...any) error {
	for i, arg := range args {
		args[i] = fmt.Sprintf("\x1b[35;1m%v\x1b[0m", arg)
	}
	return fmt.Errorf(format, args...)
}

// fail sends an error.
func (c conn) fail(err error) error {
	return errors.Join(c.WriteUint64(uint64(daemon.LogError)), c.WriteString("Error"), c.WriteUint64(0), c.WriteString("Error"),
		c.WriteString(err.Error()), c.WriteUint64(0), c.WriteUint64(0), c.w.Flush())
}

func (s *Server) valid(c conn) (func() error, error) {
	path, err := c.ReadString()
	return func() error { return c.WriteBool(s.visible[path]) }, err
}

func (s *Server) addMultiple(c conn) (func() error, error) {
	repair, err1 := c.ReadBool()
	dontCheckSigs, err2 := c.ReadBool()
	if err := errors.Join(err1, err2); err != nil || repair || dontCheckSigs {
		return nil, fmt.Errorf("repair %v, without signatures %v: %v", repair, dontCheckSigs, err)
	}
	framed := daemon.NewFramedReader(c.r)
	err := s.addInfos(framed)
	_, rest := io.Copy(io.Discard, framed)
	return func() error { return nil }, errors.Join(err, rest)
}

// ReadObjects reads the objects of a request AddMultipleToStore and calls add for
// each of them. version is that of the path infos. If an object does not have the
// hash in its path info, the error is that of Nix.
func ReadObjects(r io.Reader, version uint64, add func(path string, info *daemon.PathInfo, nar []byte) error) error {
	dec := wire.NewDecoder(r, 1<<30)
	n, err := dec.ReadUint64()
	if err != nil {
		return err
	}
	for range n {
		path, err := dec.ReadString()
		if err != nil {
			return err
		}
		info, err := daemon.ReadPathInfo(dec, path, version)
		if err != nil {
			return err
		}
		nar := make([]byte, info.NarSize)
		if _, err := io.ReadFull(r, nar); err != nil {
			return err
		}
		if sum := sha256.Sum256(nar); info.NarHash != "sha256:"+hex.EncodeToString(sum[:]) {
			return hint("hash mismatch importing path '%s'", path)
		}
		if err := add(path, info, nar); err != nil {
			return err
		}
	}
	return nil
}

// addInfos adds the objects of a request AddMultipleToStore.
func (s *Server) addInfos(r io.Reader) error {
	return ReadObjects(r, 1<<8|16, func(path string, info *daemon.PathInfo, nar []byte) error {
		o := Object{Method: "nar", NAR: nar, Refs: slices.Sorted(slices.Values(info.References))}
		if strings.HasPrefix(info.CA, "text:") {
			o.Method = "text"
		}
		_, o.Name, _ = strings.Cut(path, "-")
		if s.poisoned[path] {
			// Nix takes it for valid: it does not add the object and reports no error.
			s.visible[path] = true
			return nil
		}
		added, ca, err := s.add(o)
		if err != nil {
			return err
		}
		if added != path || ca != info.CA {
			return hint("cannot add path '%s' to the Nix store because it claims to be content-addressed but isn't", path)
		}
		return nil
	})
}

func (s *Server) addScanning(c conn) (func() error, error) {
	name, err1 := c.ReadString()
	method, err2 := c.ReadString()
	framed := daemon.NewFramedReader(c.r)
	nar, err3 := io.ReadAll(framed)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if method != "fixed:r:sha256" {
		return nil, fmt.Errorf("this server does not know the method '%s'", method)
	}
	o := Object{Name: name, Method: "nar", NAR: nar}
	for _, path := range slices.Sorted(maps.Keys(s.visible)) {
		hash, _, _ := strings.Cut(strings.TrimPrefix(path, storeDir+"/"), "-")
		if bytes.Contains(nar, []byte(hash)) {
			o.Refs = append(o.Refs, path)
		}
	}
	path, ca, err := s.add(o)
	return func() error {
		sum := sha256.Sum256(nar)
		return errors.Join(c.WriteString(path), c.WriteString(""), c.WriteString(hex.EncodeToString(sum[:])), c.WriteStrings(o.Refs),
			c.WriteUint64(1), c.WriteUint64(uint64(len(nar))), c.WriteBool(false), c.WriteStrings(nil), c.WriteString(ca))
	}, err
}

func (s *Server) submit(c conn) (func() error, error) {
	kind, err := c.ReadUint64()
	if err != nil {
		return nil, err
	}
	if kind != 0 {
		return nil, fmt.Errorf("only opaque paths are supported, not %d", kind)
	}
	path, err1 := c.ReadString()
	output, err2 := c.ReadString()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if old, ok := s.outputs[output]; ok {
		return nil, hint("Attempted to submit duplicate output '%s' (old '%s', new '%s')", output, old, path)
	}
	s.outputs[output] = path
	return func() error { return c.WriteUint64(1) }, nil
}

// add adds an object, whose references must be in the store, and returns its store
// path and content address.
func (s *Server) add(o Object) (path, ca string, err error) {
	isDerivation := strings.HasSuffix(o.Name, ".drv")
	var text []byte
	if o.Method == "text" || isDerivation {
		if text, err = fileText(o.NAR); err != nil {
			return "", "", err
		}
	}
	kind, sum := "source", sha256.Sum256(o.NAR)
	ca = "fixed:r:sha256:"
	if o.Method == "text" {
		kind, sum, ca = "text", sha256.Sum256(text), "text:sha256:"
	}
	desc := strings.Join(append([]string{kind}, o.Refs...), ":") + ":sha256:" + hex.EncodeToString(sum[:]) + ":" + storeDir + ":" + o.Name
	hash := sha256.Sum256([]byte(desc))
	path = storeDir + "/" + nixbase32.EncodeToString(nixhash.CompressHash(hash[:], 20)) + "-" + o.Name
	if isDerivation {
		if _, err := drvfile.Parse(string(text)); err != nil {
			return "", "", hint("error parsing derivation '%s': %s", path, err)
		}
	}
	for _, ref := range o.Refs {
		if !s.has(ref) && ref != path {
			s.poisoned[path] = true
			return "", "", hint("path '%s' is not valid", ref)
		}
	}
	s.Objects[path] = o
	s.visible[path] = true
	return path, ca + nixbase32.EncodeToString(sum[:]), nil
}

// has reports whether a path is in the store, whether or not the builder can see
// it.
func (s *Server) has(path string) bool {
	_, added := s.Objects[path]
	return added || s.visible[path] && !s.poisoned[path] || slices.Contains(s.Others, path)
}

// Text returns the contents of an object that is a file.
func (o Object) Text() ([]byte, error) { return fileText(o.NAR) }

// fileText returns the contents of the file that a NAR holds.
func fileText(nar []byte) ([]byte, error) {
	dec := wire.NewDecoder(bytes.NewReader(nar), 1<<30)
	for _, want := range []string{"nix-archive-1", "(", "type", "regular", "contents"} {
		if got, err := dec.ReadString(); err != nil || got != want {
			return nil, fmt.Errorf("the archive of a file has %q for %q: %v", got, want, err)
		}
	}
	return dec.ReadBytes()
}
