// Package greet is in a module of its own, without a version.
package greet

// Text greets.
func Text(who string) string { return "hello, " + who }
