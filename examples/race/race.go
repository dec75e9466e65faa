//go:build race

package main

const detector = true
