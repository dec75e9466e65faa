package nix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"dgd/bench/internal/run"
)

// A daemon is a nix-daemon on a store of the bench's own. It builds what a
// client asks for, as most installations have it, so that what it uses is not
// the client's.
type daemon struct {
	cmd    *exec.Cmd
	log    bytes.Buffer
	socket string
}

// startDaemon starts a daemon for the store and waits until it listens.
func (s *Store) startDaemon(ctx context.Context) (*daemon, error) {
	dir, err := os.MkdirTemp(s.Root, "daemon-")
	if err != nil {
		return nil, err
	}
	d := &daemon{cmd: s.Command(ctx, "nix-daemon"), socket: filepath.Join(dir, "socket")}
	run.Gently(d.cmd)
	d.cmd.Env = append(d.cmd.Env, "NIX_DAEMON_SOCKET_PATH="+d.socket)
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		conn, err := net.Dial("unix", d.socket)
		if err == nil {
			return d, conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	_, err = d.stop()
	return nil, errors.Join(fmt.Errorf("nix-daemon does not listen\n%s", run.Tail(d.log.String())), err)
}

// workers are the daemon's processes, one for each client.
func (d *daemon) workers() []int { return run.Children(d.cmd.Process.Pid) }

// stop ends the daemon and returns the CPU time of it and of all that it built.
func (d *daemon) stop() (time.Duration, error) {
	// A worker's time is counted when the daemon has waited for it.
	for i := 0; i < 500 && len(d.workers()) > 0; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	var exit *exec.ExitError
	if err := d.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return run.CPU(d.cmd), nil
}
