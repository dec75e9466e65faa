// Package detail is for package public only.
package detail

// Name is the name of this detail.
const Name = "a detail"
