package chart

import (
	"strings"
	"testing"
)

func TestBars(t *testing.T) {
	c := Bars{Title: "Edit & build", Bars: []Bar{{"dgd", 5, "5 s"}, {"go build", 10, "10 s"}, {"nothing", 0, "0 s"}}}
	text, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Edit &amp; build", `height="152"`,
		`<rect x="176" y="44" width="210.0"`, `<rect x="176" y="76" width="420.0"`, `<rect x="176" y="108" width="0.0"`,
		`<text x="394.0" y="55" dy="4" text-anchor="start">5 s</text>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not there:\n%s", want, text)
		}
	}
	if text, err := (&Bars{Title: "None", Bars: []Bar{{"nothing", 0, ""}}}).SVG(); err != nil || strings.Contains(text, "NaN") {
		t.Errorf("without an amount: %v\n%s", err, text)
	}
}
