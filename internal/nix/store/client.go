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

// A Store is a connection to the store. What it has once answered of
// derivations it does not ask for again. Its methods must not be called at the
// same time.
type Store struct {
	client *daemon.Client
	nix    *exec.Cmd
	stop   context.CancelFunc

	drvs map[string]*drvfile.Derivation // read so far
	made map[string]map[string]string   // what is known of outputs so far, see Outputs
}

// Open starts `nix-daemon --stdio`, which speaks for the store that Nix is
// configured to use. Its messages go to stderr.
func Open(ctx context.Context, stderr io.Writer) (*Store, error) {
	// The client dials a socket.
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
	listener.Close() // or start might wait
	if e := <-started; e != nil {
		err = e
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("asking Nix about the store: %w", err)
	}
	return s, nil
}

// start starts Nix at the other end of the first connection.
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

// Close ends the connection.
func (s *Store) Close() error {
	err := s.client.Close()
	s.stop()
	s.nix.Wait() // it was told to go
	return err
}

// window is how many requests are sent before the first answer is read. They
// have room in the socket, so that neither side waits for the other for ever.
const window = 100

// ask sends a request about each path, and lets read read each answer, in their
// order. After an error the connection cannot be used.
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

// asked says what was asked for when there was an error.
func asked(op daemon.Operation, path string, err error) error {
	what := map[daemon.Operation]string{
		daemon.OpNarFromPath:              "reading ",
		daemon.OpQueryDerivationOutputMap: "asking for the outputs of ",
		daemon.OpQueryPathInfo:            "asking for what made ",
	}[op]
	return fmt.Errorf("%s%s: %w", what, path, err)
}

// some names paths in a message.
func some(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}
