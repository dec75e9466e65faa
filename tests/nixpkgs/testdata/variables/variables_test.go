// Package variables has tests that depend on their environment.
package variables

import (
	"os"
	"testing"
)

func TestAttribute(t *testing.T) { isSet(t, "TOOL_ATTRIBUTE") }

func TestExported(t *testing.T) { isSet(t, "TOOL_EXPORTED") }

func isSet(t *testing.T, name string) {
	if os.Getenv(name) == "" {
		t.Errorf("%s is not set", name)
	}
}
