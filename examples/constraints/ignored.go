//go:build ignore

// This file is in no build: it declares what another one declares.
package main

const tags = "ignored"
