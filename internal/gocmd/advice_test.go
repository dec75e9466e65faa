package gocmd

import (
	"fmt"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	table := []Advice{
		{Says: "a|b", When: false, Do: "never"},
		{Says: "b", When: true, Short: true, Do: "first"},
		{Says: "b|c", When: true, Do: "second"},
	}
	for text, want := range map[string]string{"xa": "", "xb": "first", "xc": "second", "": ""} {
		if a, ok := Find(table, text); a.Do != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, a.Do, ok, want)
		}
	}
}

func TestWords(t *testing.T) {
	long := strings.Repeat("x\n", 20)
	for _, test := range []struct {
		a          Advice
		text, want string
	}{
		{Advice{}, long, long},
		{Advice{Short: true}, long, strings.Repeat("x\n", 8) + "…"},
		{Advice{Short: true}, "x\ny", "x\ny"},
		{Advice{Short: true}, strings.Repeat("x\n", 7) + "x", strings.Repeat("x\n", 7) + "x"},
	} {
		if got := test.a.Words(test.text); got != test.want {
			t.Errorf("%.20q: %q, want %q", test.text, got, test.want)
		}
	}
}

func TestDecode(t *testing.T) {
	type p struct{ Path string }
	for text, want := range map[string]string{"": "[]", "{\"Path\":\"a\"}\n{\"Path\":\"b\",\"X\":1}\n": "[{a} {b}]", "{\"Path\":\"a\"}{": "go list: unexpected EOF"} {
		list, err := Decode[p]("go list", []byte(text))
		got := fmt.Sprint(list)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
