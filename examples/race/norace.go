//go:build !race

package main

const detector = false
