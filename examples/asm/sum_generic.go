//go:build !amd64

package main

// Sum adds numbers.
func Sum(numbers []int64) int64 {
	var total int64
	for _, n := range numbers {
		total += n
	}
	return total
}

// AddPair adds a pair's two numbers.
func AddPair(p *Pair) int64 { return p.First + p.Second }
