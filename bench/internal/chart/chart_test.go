package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestSVG(t *testing.T) {
	c := Chart{
		Title: "Cost & more",
		X:     "packages",
		Y:     "seconds",
		LogY:  true,
		Series: []Series{
			{"dgd", []Point{{1000, 40}, {10_000, 390}}},
			{"go build", []Point{{1000, 41.5}, {10_000, 400}}},
			{"none", nil},
		},
	}
	text, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(text))
	counts := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			counts[e.Name.Local]++
		}
	}
	if counts["circle"] != 4 || counts["polyline"] != 6 {
		t.Errorf("drawn: %v", counts)
	}
	for _, want := range []string{"Cost &amp; more", ">packages<", ">seconds<", ">go build<", ">10,000<"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not there", want)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Error("a place is no number")
	}
	if again, err := c.SVG(); err != nil || again != text {
		t.Error("drawn twice it is not the same")
	}
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		got, want []float64
	}{
		{linearTicks([]float64{3, 41}), []float64{0, 10, 20, 30, 40, 50}},
		{linearTicks([]float64{1.1}), []float64{0, 0.2, 0.4, 0.6, 0.8, 1, 1.2}},
		{linearTicks(nil), []float64{0, 1}},
		{logTicks([]float64{1200, 10_200}), []float64{1000, 2000, 5000, 10_000, 20_000}},
		{logTicks([]float64{0}), []float64{1, 10}},
		{logTicks([]float64{100}), []float64{100, 200}},
	} {
		if len(test.got) != len(test.want) || !slices.EqualFunc(test.got, test.want, func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }) {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
}
