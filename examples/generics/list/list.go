// Package list has a linked list of anything.
package list

import (
	"cmp"
	"iter"
	"slices"
)

// A List holds values in order.
type List[T any] struct {
	value T
	next  *List[T]
}

// Of returns a list of the values.
func Of[T any](values ...T) *List[T] {
	var l *List[T]
	for _, v := range slices.Backward(values) {
		l = &List[T]{v, l}
	}
	return l
}

// All yields the positions and values of l.
func (l *List[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i := 0; l != nil; i, l = i+1, l.next {
			if !yield(i, l.value) {
				return
			}
		}
	}
}

// Slice returns the values of l.
func (l *List[T]) Slice() []T {
	var s []T
	for _, v := range l.All() {
		s = append(s, v)
	}
	return s
}

// Map returns the list of what f makes of each value.
func Map[T, U any](l *List[T], f func(T) U) *List[U] {
	var s []U
	for _, v := range l.All() {
		s = append(s, f(v))
	}
	return Of(s...)
}

// Max returns the greatest value of a list that is not empty.
func Max[T cmp.Ordered](l *List[T]) T { return slices.Max(l.Slice()) }
