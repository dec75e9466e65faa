//go:build profile

package main

import (
	"log"
	"os"
	"runtime/pprof"
	"strings"
	"time"
)

// Written to the file that the first argument names: a profile of feed.
func init() {
	out, err := os.Create(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		log.Fatal(err)
	}
	text := strings.Repeat("profile-guided optimization ", 1000)
	f, p := &fnv{}, &parity{}
	for start := time.Now(); time.Since(start) < 3*time.Second; {
		for range 20 {
			feed(f, text)
		}
		feed(p, text)
	}
	pprof.StopCPUProfile()
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}
	os.Exit(0)
}
