// Package shared is what both programs import.
package shared

// Text returns a text that patches change.
func Text() string { return "original" }
