package main

import "fmt"

// A failure ends what try has called, as Fatal ends a test. A scenario is a list
// of steps, none of which makes sense after one that failed.
type failure struct{ error }

// try calls f and returns the error that ended it.
func try(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.error
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// check ends the scenario where there is an error.
func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// must is a value that there is no scenario without.
func must[T any](v T, err error) T {
	check(err)
	return v
}

// fail ends the scenario.
func fail(format string, args ...any) { check(fmt.Errorf(format, args...)) }
