// Package workload fills rivals with the same series: half of them counters, half of them histograms, as a program with
// many instruments has them.
package workload

import (
	"fmt"
	"strconv"
)

// Bounds are the boundaries of the histograms.
var Bounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// Prefix begins the names of all metrics of a workload.
const Prefix = "bench_"

// MaxSeries is the most that an instrument has: half of what the SDK takes by default.
const MaxSeries = 1000

// A Kind is what an instrument of a workload is.
type Kind int

// The kinds of instruments: counters of whole numbers and of seconds, and histograms of seconds.
const (
	Count Kind = iota
	Seconds
	Histogram
)

// An Instrument is one of a workload. All its series have the same labels.
type Instrument struct {
	Kind   Kind
	Number int
	Help   string
	Labels []string   // one or two
	Values [][]string // of the labels, for each series
}

// A Workload is what every rival is filled with.
type Workload struct {
	Instruments []Instrument
	Series      int
}

// New makes a workload of so many series, of both kinds in equal parts.
func New(series int) Workload { return build(series, Count, Histogram, Seconds, Histogram) }

// Counters makes one of counters alone.
func Counters(series int) Workload { return build(series, Count, Seconds) }

// Histograms makes one of histograms alone.
func Histograms(series int) Workload { return build(series, Histogram) }

// build makes instruments of the kinds in turn: twenty, or more where a twentieth of the series is too many for one.
func build(series int, kinds ...Kind) Workload {
	each := max(1, min(MaxSeries, series/20))
	c := Workload{Series: series}
	for number := 0; series > 0; number++ {
		n := min(each, series)
		series -= n
		c.Instruments = append(c.Instruments, instrument(kinds[number%len(kinds)], number, n))
	}
	return c
}

func instrument(kind Kind, number, series int) Instrument {
	i := Instrument{Kind: kind, Number: number, Labels: []string{"stage"}, Values: make([][]string, series),
		Help: fmt.Sprintf("Instrument %d of the benchmark.", number)}
	if number%4 >= 2 {
		i.Labels = []string{"codec", "stage"}
	}
	for s := range i.Values {
		i.Values[s] = []string{"stage-" + strconv.Itoa(s)}
		if len(i.Labels) == 2 {
			i.Values[s] = []string{"h" + strconv.Itoa(260+s%7), "stage-" + strconv.Itoa(s)}
		}
	}
	return i
}

// Prometheus is the name that a scrape shows.
func (i Instrument) Prometheus() string {
	switch i.Kind {
	case Count:
		return fmt.Sprintf("%sframes_%d_total", Prefix, i.Number)
	case Seconds:
		return fmt.Sprintf("%scpu_%d_seconds_total", Prefix, i.Number)
	default:
		return fmt.Sprintf("%srender_%d_seconds", Prefix, i.Number)
	}
}

// OTel is the name, and the unit, that become the one of Prometheus.
func (i Instrument) OTel() (name, unit string) {
	switch i.Kind {
	case Count:
		return fmt.Sprintf("bench.frames.%d", i.Number), "{frame}"
	case Seconds:
		return fmt.Sprintf("bench.cpu.%d", i.Number), "s"
	default:
		return fmt.Sprintf("bench.render.%d", i.Number), "s"
	}
}

// value is what the k-th recording of a series records. Of a histogram it is in another bucket each time. The digits
// are as in real life: a page of round numbers would be smaller, and faster to write.
func (i Instrument) value(series, k int) float64 {
	random := mix(uint64(i.Number)<<40 | uint64(series)<<20 | uint64(k))
	switch i.Kind {
	case Count:
		return float64(1 + random%10_000)
	case Seconds:
		return float64(1+random%10_000_000) / 1000
	default:
		bucket := (series*7 + k*5 + i.Number) % len(Bounds)
		low := 0.0
		if bucket > 0 {
			low = Bounds[bucket-1]
		}
		return low + (Bounds[bucket]-low)*(float64(random%1_000_000)+1)/1_000_001
	}
}

// mix makes numbers that look random of numbers that do not: the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fill is how often each series is recorded at first.
const fill = 3

// Fill records in every series.
func (c Workload) Fill(s Recorder) {
	for n, i := range c.Instruments {
		for series := range i.Values {
			for k := range fill {
				s.Record(n, series, i.value(series, k))
			}
		}
	}
}

// Touch records in a tenth of the series, in another one with each turn, as a program does between two scrapes.
func (c Workload) Touch(s Recorder, turn int) {
	for n, i := range c.Instruments {
		for series := turn % 10; series < len(i.Values); series += 10 {
			s.Record(n, series, i.value(series, fill+turn))
		}
	}
}
