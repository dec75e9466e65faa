package cache

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
	"github.com/nix-community/go-nix/pkg/nar"
)

// A Daemon is the store that Nix's own commands use here, whichever that is.
type Daemon struct {
	client *daemon.Client
	nix    *exec.Cmd
	stop   context.CancelFunc
}

// OpenDaemon starts `nix-daemon --stdio`, which speaks for the store that Nix
// is configured to use. Its messages go to stderr.
func OpenDaemon(ctx context.Context, stderr io.Writer) (*Daemon, error) {
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
	d := &Daemon{nix: exec.CommandContext(ctx, "nix-daemon", "--stdio"), stop: stop}
	d.nix.Stderr = stderr
	started := make(chan error, 1)
	go func() { started <- d.start(listener) }()
	d.client, err = daemon.Connect(ctx, socket)
	listener.Close() // or start might wait
	if e := <-started; e != nil {
		err = e
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("asking Nix about the store: %w", err)
	}
	return d, nil
}

// start starts Nix at the other end of the first connection.
func (d *Daemon) start(listener net.Listener) error {
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
	d.nix.Stdin, d.nix.Stdout = file, file
	return d.nix.Start()
}

// Close ends the connection.
func (d *Daemon) Close() error {
	err := d.client.Close()
	d.stop()
	d.nix.Wait() // it was told to go
	return err
}

// Text implements Store.
func (d *Daemon) Text(ctx context.Context, drv string) (text string, err error) {
	// Asking for what is not there would end the connection.
	if ok, err := d.Has(ctx, drv); err != nil {
		return "", err
	} else if !ok {
		return "", fmt.Errorf("%s is not in this store", drv)
	}
	stream, err := d.client.NarFromPath(ctx, drv)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", drv, err)
	}
	defer func() {
		_, rest := io.Copy(io.Discard, stream)
		if err = errors.Join(err, rest, stream.Close()); err != nil {
			err = fmt.Errorf("reading %s: %w", drv, err)
		}
	}()
	archive, err := nar.NewReader(stream)
	if err != nil {
		return "", err
	}
	defer archive.Close()
	if _, err := archive.Next(); err != nil {
		return "", err
	}
	contents, err := io.ReadAll(archive)
	return string(contents), err
}

// Outputs implements Store.
func (d *Daemon) Outputs(ctx context.Context, drv string) (map[string]string, error) {
	outputs, err := d.client.QueryDerivationOutputMap(ctx, drv)
	if err != nil {
		return nil, fmt.Errorf("the outputs of %s: %w", drv, err)
	}
	for name, path := range outputs {
		ok := path != ""
		if ok {
			if ok, err = d.Has(ctx, path); err != nil {
				return nil, err
			}
		}
		if !ok {
			delete(outputs, name)
		}
	}
	return outputs, nil
}

// Has implements Store.
func (d *Daemon) Has(ctx context.Context, path string) (bool, error) {
	ok, err := d.client.IsValidPath(ctx, path)
	if err != nil {
		return false, fmt.Errorf("asking for %s: %w", path, err)
	}
	return ok, nil
}
