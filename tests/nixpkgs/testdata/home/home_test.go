// Package home has a test that writes into its user's home.
package home

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHome(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "state"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
}
