//go:build more && tagged

package main

func init() { tag += " and more" }
