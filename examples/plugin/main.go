// A plugin: another Go program opens it and calls Greet.
package main

import (
	"strings"

	"example.com/plugin/words"
)

// Greet is what the plugin offers.
func Greet(name string) string { return strings.Join(words.Greeting(name), " ") }

func main() {}
