package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/nix-community/go-nix/pkg/daemon"
	"github.com/nix-community/go-nix/pkg/wire"

	"dgd/internal/nix/drvfile"
)

// A Store is a connection to the store. It caches what it reads of derivations and
// their outputs. Its methods must not be called concurrently.
type Store struct {
	client *daemon.Client
	nix    *exec.Cmd
	stop   context.CancelFunc

	drvs map[string]*drvfile.Derivation // read so far
	made map[string]map[string]string   // paths of outputs known so far, see findOutputs
}

// Open starts `nix-daemon --stdio`, which serves the store that Nix is configured
// to use, and connects to it. The messages of the daemon go to stderr.
func Open(ctx context.Context, stderr io.Writer) (*Store, error) {
	// daemon.Connect needs a socket.
	dir, err := os.MkdirTemp("", "dgd")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	defer listener.Close()

	ctx, stop := context.WithCancel(ctx)
	s := &Store{
		nix:  exec.CommandContext(ctx, "nix-daemon", "--stdio"),
		stop: stop,
		drvs: map[string]*drvfile.Derivation{},
		made: map[string]map[string]string{},
	}
	s.nix.Stderr = stderr
	started := make(chan error, 1)
	go func() { started <- s.start(listener) }()
	s.client, err = daemon.Connect(ctx, socket)
	listener.Close() // ends Accept in start if the connection failed
	if e := <-started; e != nil {
		err = e
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("asking Nix about the store: %w", err)
	}
	return s, nil
}

// start accepts a connection and starts the daemon at its other end.
func (s *Store) start(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	file, err := conn.(*net.UnixConn).File()
	if err != nil {
		return err
	}
	defer file.Close()
	s.nix.Stdin, s.nix.Stdout = file, file
	return s.nix.Start()
}

// Close closes the connection and ends the daemon.
func (s *Store) Close() error {
	err := s.client.Close()
	s.stop()
	s.nix.Wait() // its error is that it was killed
	return err
}

// window is the number of requests that are sent before the first answer is read.
// They fit into the buffer of the socket, so that there is no deadlock.
const window = 100

// ask sends a request about each path and calls read for each answer, in the same
// order. After an error the connection can no longer be used.
func (s *Store) ask(ctx context.Context, op daemon.Operation, paths []string, read func(path string, r io.Reader) error) error {
	for len(paths) > 0 {
		batch := paths[:min(window, len(paths))]
		paths = paths[len(batch):]
		answers := make([]*daemon.OpResponse, len(batch))
		for i, p := range batch {
			var err error
			answers[i], err = s.client.Execute(ctx, op, daemon.WithBody(func(enc *wire.Encoder) error { return enc.WriteString(p) }))
			if err != nil {
				return asked(op, p, err)
			}
		}
		for i, p := range batch {
			if err := errors.Join(read(p, answers[i]), answers[i].Close()); err != nil {
				return asked(op, p, err)
			}
		}
	}
	return nil
}

// asked adds to an error what was asked.
func asked(op daemon.Operation, path string, err error) error {
	what := map[daemon.Operation]string{
		daemon.OpNarFromPath:              "reading ",
		daemon.OpQueryDerivationOutputMap: "asking for the outputs of ",
		daemon.OpQueryPathInfo:            "asking for what made ",
	}[op]
	return fmt.Errorf("%s%s: %w", what, path, err)
}

// some returns the names of paths for messages.
func some(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}
