package main

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/go-analyze/charts"
)

const width, height = 640, 320

// svg draws the picture, on white, so that it can be read on any page.
func (p picture) svg(found values) ([]byte, error) {
	palette := make([]charts.Color, len(p.series))
	for i, s := range p.series {
		palette[i] = charts.ParseColor(s.colour)
	}
	theme := charts.GetTheme(charts.ThemeLight).WithSeriesColors(palette).WithBackgroundColor(charts.ColorWhite)
	canvas := charts.NewPainter(charts.PainterOptions{
		OutputFormat: charts.ChartOutputSVG, Width: width, Height: height, Theme: theme,
	})
	paint := p.lines
	if p.by != "" {
		paint = p.bars
	}
	if err := paint(canvas, theme, found); err != nil {
		return nil, err
	}
	text, err := canvas.Bytes()
	// The library leaves the size to the page, which then takes all of its width.
	return bytes.Replace(text, []byte("<svg "), fmt.Appendf(nil, `<svg width="%d" height="%d" `, width, height), 1), err
}

func (p picture) lines(canvas *charts.Painter, theme charts.ColorPalette, found values) error {
	opt := charts.NewLineChartOptionWithData(p.drawable(found))
	opt.Theme, opt.Title, opt.Legend, opt.Padding = theme, p.heading(), p.legend(), margin
	opt.XAxis.Labels, opt.XAxis.Title = found.labels, p.x
	opt.XAxis.LabelFontStyle, opt.XAxis.TitleFontStyle = small, small
	opt.XAxis.LabelCount = (len(found.labels)-1)/found.every + 1
	opt.XAxis.BoundaryGap = charts.Ptr(false)
	opt.YAxis[0] = p.valueAxis()
	opt.StackSeries = &p.stacked
	opt.Symbol.Shape = charts.SymbolNone
	if opt.LineStrokeWidth = 2; p.stacked {
		opt.LineStrokeWidth = 1
	}
	return canvas.LineChart(opt)
}

func (p picture) bars(canvas *charts.Painter, theme charts.ColorPalette, found values) error {
	opt := charts.NewBarChartOptionWithData(p.drawable(found))
	opt.Theme, opt.Title, opt.Legend, opt.Padding = theme, p.heading(), p.legend(), margin
	opt.CategoryAxis.Labels, opt.CategoryAxis.Title = bounds(found.labels), p.x
	opt.CategoryAxis.LabelCount = len(found.labels)
	opt.CategoryAxis.LabelFontStyle, opt.CategoryAxis.TitleFontStyle = small, small
	opt.ValueAxis[0] = p.valueAxis()
	for i := range opt.SeriesList {
		opt.SeriesList[i].Label = charts.SeriesLabel{Show: charts.Ptr(true), FontStyle: small, ValueFormatter: p.number}
	}
	return canvas.BarChart(opt)
}

var (
	small  = charts.FontStyle{FontSize: 10}
	margin = charts.NewBoxEqual(12)
)

func (p picture) heading() charts.TitleOption {
	return charts.TitleOption{Text: p.title, FontStyle: charts.FontStyle{FontSize: 13}}
}

func (p picture) legend() charts.LegendOption {
	names := make([]string, len(p.series))
	for i, s := range p.series {
		names[i] = s.name
	}
	return charts.LegendOption{
		SeriesNames: names, FontStyle: small, Symbol: charts.SymbolSquare,
		Offset: charts.OffsetStr{Top: "24"}, // below the title
	}
}

func (p picture) valueAxis() charts.YAxisOption {
	return charts.YAxisOption{
		Title: p.y, TitleFontStyle: small, LabelFontStyle: small, Min: charts.Ptr(0.0),
		ValueFormatter: p.number,
	}
}

func (p picture) number(v float64) string { return fmt.Sprintf(p.format, v) }

// bounds are labels as numbers are written, with a word for what is above all of them.
func bounds(labels []string) []string {
	all := make([]string, len(labels))
	for i, label := range labels {
		all[i] = label
		if n, err := strconv.ParseFloat(label, 64); math.IsInf(n, 1) {
			all[i] = "more"
		} else if err == nil {
			all[i] = strconv.FormatFloat(n, 'g', -1, 64)
		}
	}
	return all
}

// drawable are the values as the library wants them, which has its own value for none. A bar of nothing is none.
func (p picture) drawable(found values) [][]float64 {
	for _, row := range found.of {
		for i, value := range row {
			if math.IsNaN(value) || p.by != "" && value == 0 {
				row[i] = charts.GetNullValue()
			}
		}
	}
	return found.of
}
