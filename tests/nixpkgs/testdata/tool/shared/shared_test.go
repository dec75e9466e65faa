package shared

import "testing"

func TestText(t *testing.T) {
	if Text() != "original" {
		t.Errorf("Text says %s", Text())
	}
}

func TestNever(t *testing.T) { t.Error("checkFlags skip this test") }
