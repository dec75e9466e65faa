//go:build (extra && more) || !go1.24

package main

const expression = "extra and more"
