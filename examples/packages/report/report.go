// Package report formats shapes.
package report

import (
	"fmt"
	"strings"

	"example.com/packages/shape"
)

// Table returns a line for each shape.
func Table(shapes []shape.Shape) string {
	var b strings.Builder
	for _, s := range shapes {
		fmt.Fprintf(&b, "%s: %.2f\n", s.Name(), s.Area())
	}
	return b.String()
}
