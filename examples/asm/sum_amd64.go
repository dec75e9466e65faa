package main

// Sum adds numbers.
//
//go:noescape
func Sum(numbers []int64) int64

// AddPair adds a pair's two numbers.
//
//go:noescape
func AddPair(p *Pair) int64
