// Package text is of a module that a directory stands in for.
package text

import "strings"

// Title is s in capitals.
func Title(s string) string { return strings.ToUpper(s) }
