// Godebug-pgo changes a default of the runtime with a //go:debug line and is
// optimized by the profile default.pgo, which lies beside it.
//
// To renew the profile, which profile.go takes:
//
//	go run -trimpath -tags profile -pgo off . default.pgo
//
//go:debug panicnil=1
package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

type hasher interface{ add(b byte) }

type fnv struct{ sum uint64 }

func (f *fnv) add(b byte) { f.sum = (f.sum ^ uint64(b)) * 1099511628211 }

type parity struct{ odd bool }

func (p *parity) add(b byte) { p.odd = p.odd != (b&1 == 1) }

// feed is hot, and the profile says that its hasher is mostly an *fnv.
//
//go:noinline
func feed(h hasher, text string) {
	for i := range len(text) {
		h.add(text[i])
	}
}

func setting(key string) string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return "not set"
}

func main() {
	defer func() {
		fmt.Println("recovered:", recover())
	}()
	f, p := &fnv{sum: 14695981039346656037}, &parity{}
	feed(f, "profile-guided")
	feed(p, "profile-guided")
	fmt.Printf("hash: %x, odd: %v\n", f.sum, p.odd)
	fmt.Println("profile:", setting("-pgo"))
	fmt.Println("setting:", strings.Contains(setting("DefaultGODEBUG"), "panicnil=1"))
	panic(nil)
}
