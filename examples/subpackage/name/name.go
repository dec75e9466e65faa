// Package name is shared by the programs of this module.
package name

// Of returns the name of the program in cmd/dir.
func Of(dir string) string { return "program " + dir }
