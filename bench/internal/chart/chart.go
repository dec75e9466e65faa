// Package chart draws lines as SVG.
package chart

import (
	_ "embed"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// A Chart is lines over a logarithmic x axis.
type Chart struct {
	Title, X, Y string
	LogY        bool
	Series      []Series
}

// Series is one line.
type Series struct {
	Name   string
	Points []Point
}

// A Point is one of a line's.
type Point struct{ X, Y float64 }

//go:embed chart.svg.tmpl
var layout string

var picture = template.Must(template.New("chart.svg").Parse(layout))

// Lines are between these places in the picture.
const left, right, top, bottom = 76, 530, 48, 382

// colours differ for those, too, who do not see all of them; lines have marks
// of their own besides.
var (
	colours = []string{"#0072b2", "#d55e00", "#009e73", "#777777", "#cc79a7"}
	dashes  = []string{"none", "8 3", "none", "3 3", "8 3 2 3"}
)

// line is a Series as it is drawn.
type line struct {
	Name, Colour, Dash string
	Legend             int
	Points             [][2]string
}

// SVG draws the chart.
func (c *Chart) SVG() (string, error) {
	var xs, ys []float64
	for _, s := range c.Series {
		for _, p := range s.Points {
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}
	}
	x := axis{ticks: logTicks(xs), log: true, from: left, to: right}
	y := axis{ticks: linearTicks(ys), from: bottom, to: top}
	if c.LogY {
		y.ticks, y.log = logTicks(ys), true
	}
	var lines []line
	for i, s := range c.Series {
		l := line{Name: s.Name, Colour: colours[i%len(colours)], Dash: dashes[i%len(dashes)], Legend: top + 14 + 24*i}
		for _, p := range s.Points {
			l.Points = append(l.Points, [2]string{x.at(p.X), y.at(p.Y)})
		}
		lines = append(lines, l)
	}
	var b strings.Builder
	err := picture.Execute(&b, map[string]any{"Title": c.Title, "X": c.X, "Y": c.Y, "XTicks": x.labels(), "YTicks": y.labels(), "Lines": lines})
	return b.String(), err
}

// An axis maps values to places in the picture.
type axis struct {
	ticks    []float64 // the first and the last are the axis's ends
	log      bool
	from, to float64
}

// at is where a value is.
func (a axis) at(v float64) string {
	low, high := a.ticks[0], a.ticks[len(a.ticks)-1]
	if a.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	return strconv.FormatFloat(a.from+(v-low)/(high-low)*(a.to-a.from), 'f', 1, 64)
}

type label struct{ At, Text string }

func (a axis) labels() []label {
	var list []label
	for _, t := range a.ticks {
		list = append(list, label{a.at(t), number(t)})
	}
	return list
}

// linearTicks are round numbers from zero to beyond all values.
func linearTicks(values []float64) []float64 {
	most := slices.Max(append(values, 0))
	if most == 0 {
		return []float64{0, 1}
	}
	ticks, step := []float64{0}, logTicks([]float64{most / 6})[1]
	for i := 1; ticks[len(ticks)-1] < most; i++ {
		ticks = append(ticks, step*float64(i))
	}
	return ticks
}

// logTicks are 1, 2, 5, 10 and so on, from below all values to beyond them.
func logTicks(values []float64) []float64 {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	if high == 0 {
		return []float64{1, 10}
	}
	var ticks []float64
	for e := math.Floor(math.Log10(low)); ; e++ {
		for _, f := range []float64{1, 2, 5} {
			t := f * math.Pow(10, e)
			if t <= low {
				ticks = nil
			}
			ticks = append(ticks, t)
			if t >= high && len(ticks) > 1 {
				return ticks
			}
		}
	}
}

// number is a number with its thousands apart.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'g', 6, 64)
	for i := len(text) - 3; i > 0 && v >= 10_000; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
