//go:build extra

package main

const tags = "with extra"
