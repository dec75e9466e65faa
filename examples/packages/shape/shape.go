// Package shape says what a shape is.
package shape

// A Shape is flat and has a size.
type Shape interface {
	Name() string
	Area() float64
}
