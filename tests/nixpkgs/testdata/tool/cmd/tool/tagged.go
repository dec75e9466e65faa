//go:build tagged

package main

func init() { tag = "tagged" }
