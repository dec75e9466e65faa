// Package main says whether it runs under the race detector, which the flag
// -race of go build puts in, and counts with many goroutines.
package main

import (
	"fmt"
	"sync"

	"example.com/race/counter"
)

func main() {
	var c counter.Counter
	var wg sync.WaitGroup
	for range 100 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c.Add(1)
		}()
	}
	wg.Wait()
	fmt.Println("race detector:", detector)
	fmt.Println("counted:", c.Value())
}
