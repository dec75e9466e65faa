// Package near is a module that only the other go.mod knows.
package near

const Name = "near"
