package chart

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"text/template"
)

// Bars is a chart of amounts: a horizontal bar for each, as long as it is large.
type Bars struct {
	Title string
	Bars  []Bar
}

// A Bar is one of them. The text is what stands behind it.
type Bar struct {
	Name  string
	Value float64
	Text  string
}

//go:embed bars.svg.tmpl
var barsLayout string

var barsPicture = template.Must(template.New("bars.svg").Parse(barsLayout))

// Bars begin 176 to the right and are at most this long.
const longest = 420

// bar is a Bar as it is drawn.
type bar struct {
	Name, Text, Colour, Width, End string
	Top, Middle                    int
}

// SVG draws the chart.
func (c *Bars) SVG() (string, error) {
	most := 0.0
	for _, b := range c.Bars {
		most = max(most, b.Value)
	}
	var drawn []bar
	for i, b := range c.Bars {
		width := 0.0
		if most > 0 {
			width = b.Value / most * longest
		}
		top := 44 + 32*i
		drawn = append(drawn, bar{
			Name: b.Name, Text: b.Text, Colour: colours[i%len(colours)], Top: top, Middle: top + 11,
			Width: strconv.FormatFloat(width, 'f', 1, 64), End: strconv.FormatFloat(184+width, 'f', 1, 64),
		})
	}
	var text strings.Builder
	err := barsPicture.Execute(&text, map[string]any{"Title": c.Title, "Height": fmt.Sprint(56 + 32*len(drawn)), "Bars": drawn})
	return text.String(), err
}
