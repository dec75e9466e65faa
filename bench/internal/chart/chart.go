// Package chart draws lines as SVG.
package chart

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
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

// The picture's size and the room around the lines.
const (
	width, height            = 720, 440
	left, right, top, bottom = 76, 190, 48, 58
)

// colours differ for those, too, who do not see all of them; lines have marks
// of their own besides.
var (
	colours = []string{"#0072b2", "#d55e00", "#009e73", "#777777", "#cc79a7"}
	dashes  = []string{"none", "8 3", "none", "3 3", "8 3 2 3"}
)

// SVG draws the chart.
func (c *Chart) SVG() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n",
		width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", html.EscapeString(c.Title), width, height)
	label(&b, left, 26, "start", "font-size=\"16\" font-weight=\"bold\"", c.Title)
	x := axis{ticks: logTicks(c.values(func(p Point) float64 { return p.X })), log: true, from: left, to: width - right}
	y := axis{from: height - bottom, to: top, log: c.LogY}
	values := c.values(func(p Point) float64 { return p.Y })
	if c.LogY {
		y.ticks = logTicks(values)
	} else {
		y.ticks = linearTicks(values)
	}
	for _, t := range x.ticks {
		line(&b, x.at(t), y.from, x.at(t), y.to)
		label(&b, x.at(t), y.from+20, "middle", "", number(t))
	}
	for _, t := range y.ticks {
		line(&b, x.from, y.at(t), x.to, y.at(t))
		label(&b, x.from-8, y.at(t)+4, "end", "", number(t))
	}
	label(&b, (x.from+x.to)/2, height-14, "middle", "", c.X)
	middle := (y.from + y.to) / 2
	label(&b, 18, middle, "middle", fmt.Sprintf("transform=\"rotate(-90 18 %.1f)\"", middle), c.Y)
	for i, s := range c.Series {
		c.draw(&b, i, s, x, y)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// draw draws a line, its marks and its entry in the legend.
func (c *Chart) draw(b *strings.Builder, i int, s Series, x, y axis) {
	colour, dash := colours[i%len(colours)], dashes[i%len(dashes)]
	var path []string
	for _, p := range s.Points {
		path = append(path, fmt.Sprintf("%.1f,%.1f", x.at(p.X), y.at(p.Y)))
	}
	const style = "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>\n"
	fmt.Fprintf(b, style, strings.Join(path, " "), colour, dash)
	for _, p := range s.Points {
		fmt.Fprintf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x.at(p.X), y.at(p.Y), colour)
	}
	at := float64(top + 14 + 24*i)
	from := float64(width - right + 16)
	fmt.Fprintf(b, style, fmt.Sprintf("%.1f,%.1f %.1f,%.1f", from, at, from+28, at), colour, dash)
	label(b, from+36, at+4, "start", "", s.Name)
}

// values are all points' coordinates on one axis.
func (c *Chart) values(of func(Point) float64) []float64 {
	var list []float64
	for _, s := range c.Series {
		for _, p := range s.Points {
			list = append(list, of(p))
		}
	}
	return list
}

// An axis maps values to places in the picture.
type axis struct {
	ticks    []float64 // the first and the last are the axis's ends
	log      bool
	from, to float64
}

func (a axis) at(v float64) float64 {
	low, high := a.ticks[0], a.ticks[len(a.ticks)-1]
	if a.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// linearTicks are round numbers from zero to beyond all values.
func linearTicks(values []float64) []float64 {
	if len(values) == 0 || slices.Max(values) <= 0 {
		return []float64{0, 1}
	}
	most := slices.Max(values)
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for _, f := range []float64{0.2, 0.5, 1} {
		if most/(step*f) <= 6 {
			step *= f
			break
		}
	}
	ticks := []float64{0}
	for i := 1; ticks[len(ticks)-1] < most; i++ {
		ticks = append(ticks, step*float64(i))
	}
	return ticks
}

// logTicks are 1, 2, 5, 10 and so on, from below all values to beyond them.
func logTicks(values []float64) []float64 {
	values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return v <= 0 })
	if len(values) == 0 {
		return []float64{1, 10}
	}
	low, high := slices.Min(values), slices.Max(values)
	var all []float64
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, f := range []float64{1, 2, 5} {
			all = append(all, f*math.Pow(10, e))
		}
	}
	first, last := 0, len(all)-1
	for first+1 < len(all) && all[first+1] <= low {
		first++
	}
	for last > first+1 && all[last-1] >= high {
		last--
	}
	return all[first : last+1]
}

// number is a number with its thousands apart.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'g', 6, 64)
	if v < 10_000 {
		return text
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func line(b *strings.Builder, x1, y1, x2, y2 float64) {
	fmt.Fprintf(b, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>\n", x1, y1, x2, y2)
}

func label(b *strings.Builder, x, y float64, anchor, attributes, text string) {
	if attributes != "" {
		attributes = " " + attributes
	}
	fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>\n", x, y, anchor, attributes, html.EscapeString(text))
}
