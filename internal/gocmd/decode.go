package gocmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decode decodes the output of a command such as `go list -json`: JSON values, one
// after the other. Errors begin with the name of the command.
func Decode[T any](command string, out []byte) ([]T, error) {
	var list []T
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var v T
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
		list = append(list, v)
	}
}
