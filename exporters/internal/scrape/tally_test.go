package scrape

import (
	"math"
	"strings"
)

// tally counts the features of a family, and its changes since the last scrape.
func (f *family) tally(found map[string]int, before *family) {
	count := func(what string, is bool) {
		if is {
			found[what]++
		}
	}
	count(f.typ, true)
	count("long name", len(f.name) > 100)
	count("strange help", strings.ContainsAny(f.help, "\n\"\\"))
	count("many series", len(f.samples) > 90)
	for key, s := range f.samples {
		s.tally(count)
		count(f.typ+" with exemplar", s.exemplar != "")
		count("no bounds", s.labels["le"] == "+Inf" && f.order[0] == key)
		if before != nil {
			was, ok := before.samples[key]
			count("new series", !ok)
			count("changed", ok && !was.equal(s))
		}
	}
	if before != nil {
		for key := range before.samples {
			_, ok := f.samples[key]
			count("vanished series", !ok)
		}
	}
}

func (s sample) tally(count func(what string, is bool)) {
	count("NaN", math.IsNaN(s.value))
	count("+Inf", math.IsInf(s.value, 1))
	count("-Inf", math.IsInf(s.value, -1))
	count("huge", s.value > 1e300)
	count("tiny", s.value > 0 && s.value < 1e-300)
	count("beyond 2^53", s.value > 1<<53 && s.value < 1<<63)
	count("negative", s.value < 0)
	count("exemplar with attribute", strings.Count(s.exemplar, `="`) > 2)
	count("long exemplar", len(s.exemplar) > 150)
	for name, value := range s.labels {
		count("overflow", name == "otel_metric_overflow")
		count("quote", strings.Contains(value, `"`))
		count("backslash", strings.Contains(value, `\`))
		count("line break", strings.Contains(value, "\n"))
		count("not ASCII", strings.Contains(value, "ü"))
		count("joined", strings.Contains(value, ";") && name == "a_b")
		count("long label", len(value) > 200)
	}
}
