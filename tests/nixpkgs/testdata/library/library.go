// Package library is a module without any program.
package library

// Answer is what its test checks.
func Answer() int { return 42 }
