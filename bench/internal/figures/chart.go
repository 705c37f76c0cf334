package figures

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"math"
	"slices"
)

// Geometry of the chart, in pixels. Its axis is a logarithm: a bar twice as long is the square of the factor.
const (
	chartWidth  = 960
	labelWidth  = 390
	rightMargin = 170
	rowHeight   = 26
	topMargin   = 64
)

// The ends of the axis.
const (
	axisLow  = 0.01
	axisHigh = 2.0
)

// chartStyle has the colors for a light page, and for a dark one.
const chartStyle = `text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:15px}.s{fill:#57606a;font-size:12px}
.g{stroke:#d0d7de}.one{stroke:#57606a;stroke-width:1.5}.met{fill:#1a7f37}.missed{fill:#bc4c00}.goal{stroke:#24292f;stroke-width:2}.worst{stroke:#8250df;stroke-width:3}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.g{stroke:#3d444d}.one{stroke:#9198a1}
.met{fill:#3fb950}.missed{fill:#f0883e}.goal{stroke:#e6edf3}.worst{stroke:#a371f7}}`

// WriteChart draws a bar for each kind of goals that compare with a rival: from the rival, which is 1, to the ratio of
// the case in the middle, and a line on to the worst. A tick is the goal.
func WriteChart(w io.Writer, sections []Section) error {
	kinds := bars(sections)
	height := topMargin + len(kinds)*rowHeight + 16
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img"`, chartWidth, height)
	fmt.Fprintf(&b, ` aria-label="Ratios of stagemeter to its rivals">`+"\n<style>%s</style>\n", chartStyle)
	fmt.Fprintf(&b, `<text class="t" x="8" y="22">%s</text>`+"\n",
		"stagemeter, as a ratio to the rival (1 is as much as the rival; further left is better)")
	fmt.Fprintf(&b, `<text class="s" x="8" y="40">%s</text>`+"\n",
		"the bar is the median case of each kind, the line goes to the worst, the tick is the goal; the axis is logarithmic")
	for _, v := range []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2} {
		class := "g"
		if v == 1 {
			class = "one"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%d" x2="%d" y1="%d" y2="%d"/>`, class, axis(v), axis(v), topMargin, height-12)
		fmt.Fprintf(&b, `<text class="s" x="%d" y="%d" text-anchor="middle">%v</text>`+"\n", axis(v), topMargin-6, v)
	}
	for i, k := range kinds {
		g := k.Worst
		y := topMargin + i*rowHeight + 4
		from, to := min(axis(1), axis(k.Middle)), max(axis(1), axis(k.Middle))
		fmt.Fprintf(&b, `<text x="8" y="%d">%s</text>`, y+14, html.EscapeString(g.Kind))
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%d" height="18"/>`, k.class(), from, y, max(2, to-from))
		fmt.Fprintf(&b, `<line class="worst" x1="%d" x2="%d" y1="%d" y2="%d"/>`, axis(k.Middle), axis(g.Value), y+9, y+9)
		fmt.Fprintf(&b, `<line class="goal" x1="%d" x2="%d" y1="%d" y2="%d"/>`, axis(g.Limit), axis(g.Limit), y-2, y+20)
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s, %s</text>`+"\n", chartWidth-rightMargin+14, y+14, g.figure(k.Middle), k.Verdict())
	}
	b.WriteString("</svg>\n")
	_, err := b.WriteTo(w)
	return err
}

// axis is where a ratio is.
func axis(v float64) int {
	v = min(max(v, axisLow), axisHigh)
	share := math.Log(v/axisLow) / math.Log(axisHigh/axisLow)
	return labelWidth + int(share*(chartWidth-rightMargin-labelWidth))
}

// bars are the kinds of goals that compare with a rival.
func bars(sections []Section) []Kind {
	return slices.DeleteFunc(Kinds(sections...), func(k Kind) bool { return k.Worst.Unit != Ratio })
}

// class is the color of a bar.
func (k Kind) class() string {
	if k.Middle <= k.Worst.Limit {
		return "met"
	}
	return "missed"
}
