package record

import "testing"

func TestModel(t *testing.T) {
	if got := model("processor\t: 0\nmodel name\t: Maker(R) Thing(TM) CPU @ 2.60GHz\n"); got != "Maker Thing" {
		t.Errorf("got %q", got)
	}
}
