package stage

import (
	"encoding/json"
	"fmt"
	"os"
)

// readJSON decodes the JSON in a file into v. Errors name the file.
func readJSON(file string, v any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// WriteJSON writes v as JSON to a file.
func WriteJSON(file string, v any) error {
	text, err := JSON(v)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o666)
}

// JSON returns v as a line of JSON.
func JSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(text, '\n'), err
}
