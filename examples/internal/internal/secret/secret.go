// Package secret is for this module only.
package secret

// Number is the secret.
const Number = 42
