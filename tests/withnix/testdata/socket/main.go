// socket greets Nix's store at $NIX_REMOTE (unix://PATH), and prints the version of the protocol that it answers.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
)

func main() {
	conn, err := net.Dial("unix", strings.TrimPrefix(os.Getenv("NIX_REMOTE"), "unix://"))
	if err != nil {
		log.Fatal(err)
	}
	// A client that leaves before the handshake is over makes Nix 2.34 crash.
	const greeting, answer, version = 0x6e697863, 0x6478696f, 1<<8 | 35
	send := func(numbers ...uint64) {
		if err := binary.Write(conn, binary.LittleEndian, numbers); err != nil {
			log.Fatal(err)
		}
	}
	receive := func() (number uint64) {
		if err := binary.Read(conn, binary.LittleEndian, &number); err != nil {
			log.Fatal(err)
		}
		return number
	}
	send(greeting)
	if got := receive(); got != answer {
		log.Fatalf("got %x", got)
	}
	fmt.Printf("protocol %d\n", receive()>>8)
	send(version, 0, 0) // no CPU affinity, no reserved space
	length := receive() // of the daemon's version
	if _, err := io.CopyN(io.Discard, conn, int64(length+7)/8*8); err != nil {
		log.Fatal(err)
	}
	receive() // whether the client is trusted
	const last = 0x616c7473
	if got := receive(); got != last {
		log.Fatalf("got %x", got)
	}
}
