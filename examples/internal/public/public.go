// Package public hides how it works.
package public

import "example.com/internal/public/internal/detail"

// Describe says what is inside.
func Describe() string { return "built on " + detail.Name }
