// Package polite greets politely.
package polite

import "example.com/greet"

// Hello greets someone.
func Hello(name string) string { return greet.Hello("dear " + name) }
