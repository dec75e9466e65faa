//go:build !(extra && more) && go1.24

package main

const expression = "not extra and more"
