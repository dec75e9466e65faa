// Package shown has what the overlay replaces.
package shown

import _ "embed"

//go:embed text.txt
var Text string
