// Package square is about squares.
package square

import "example.com/packages/shape"

type square struct{ side float64 }

// New returns a square.
func New(side float64) shape.Shape { return square{side} }

func (s square) Name() string  { return "square" }
func (s square) Area() float64 { return s.side * s.side }
