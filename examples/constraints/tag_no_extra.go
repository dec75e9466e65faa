//go:build !extra

package main

const tags = "without extra"
