package record

import (
	"testing"
	"time"
)

func TestModel(t *testing.T) {
	if got := model("processor\t: 0\nmodel name\t: Maker(R) Thing(TM) CPU @ 2.60GHz\n"); got != "Maker Thing" {
		t.Errorf("got %q", got)
	}
}

func TestProcessor(t *testing.T) {
	for _, test := range []struct {
		fault time.Duration
		want  string
	}{
		{0, "Maker"},
		{300 * time.Nanosecond, "Maker"},
		{13 * time.Microsecond, "Maker with slow page faults"},
	} {
		if got := processor("Maker", test.fault); got != test.want {
			t.Errorf("with page faults of %s: %q, want %q", test.fault, got, test.want)
		}
	}
}

func TestPageFault(t *testing.T) {
	if got := pageFault(); got <= 0 {
		t.Errorf("a page fault takes %s", got)
	}
}
