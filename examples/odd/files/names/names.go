// Package names is in a directory that a symbolic link leads to.
package names

// Name says where it is.
const Name = "a directory of another name"
