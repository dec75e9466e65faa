package only

import "testing"

func TestOnly(t *testing.T) { t.Log("a module of tests alone") }
