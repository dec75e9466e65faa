package build

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// listener starts a TCP server on this machine and returns its port.
func listener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	// Check that the server can be reached outside of a sandbox.
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// Inner derivations, which run tests, have no network.
func TestNoNetwork(t *testing.T) {
	t.Parallel()
	files := with(map[string]string{"main_test.go": fmt.Sprintf(`package main

import (
	"net"
	"testing"
	"time"
)

func TestNetwork(t *testing.T) {
	t.Parallel()
	println("SALT")
	for _, address := range []string{"127.0.0.1:%s", "192.0.2.1:80", "[2001:db8::1]:80"} {
		conn, err := net.DialTimeout("tcp", address, 5*time.Second)
		if err == nil {
			conn.Close()
			t.Errorf("%%s can be reached", address)
		} else if err.(net.Error).Timeout() {
			t.Errorf("%%s: there is a way for packets: %%v", address, err)
		}
	}
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 {
			t.Errorf("there is an interface %%s", i.Name)
		}
	}
}
`, listener(t))})
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			build(t, function, project(t, files), layersEnv+"doCheck = true;")
		})
	}
}

// Planning derivations have no network. The go command of this test tries to use it.
func TestNoNetworkWhilePlanning(t *testing.T) {
	t.Parallel()
	port := listener(t)
	args := layersEnv + `go = let pkgs = import <nixpkgs> { }; in pkgs.stdenvNoCC.mkDerivation {
		name = "go-that-calls";
		salt = "SALT";
		script = "#!${pkgs.bash}/bin/bash\nfor host in 127.0.0.1 192.0.2.1; do\n` +
		`if (exec 3<>/dev/tcp/$host/` + port + `); then echo $host: REACHED >&2; else echo $host: unreachable >&2; fi\ndone\nexit 1\n";
		passAsFile = [ "script" ];
		buildCommand = "mkdir -p $out/bin; cp $scriptPath $out/bin/go; chmod +x $out/bin/go";
		passthru = { inherit (pkgs.go) meta; };
	};`
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			r := nixBuild(t, "-E", expression(t, function, project(t, plain), salted(t, args)))
			if r.err == nil || strings.Contains(r.log, "REACHED") || !strings.Contains(r.log, "127.0.0.1: unreachable") || !strings.Contains(r.log, "192.0.2.1: unreachable") {
				t.Errorf("%v\n%s", r.err, r.log)
			}
		})
	}
}
