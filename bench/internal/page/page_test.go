package page

import "testing"

const text = `# HELP a_total Things.
# TYPE a_total counter
a_total{y="2",x="1"} 3
# TYPE h_seconds histogram
h_seconds_bucket{le="0.5"} 1
h_seconds_bucket{le="1"} 2
h_seconds_bucket{le="+Inf"} 2
h_seconds_sum 0.75
h_seconds_count 2
`

const openMetrics = `# HELP a Things.
# TYPE a counter
a_total{x="1",y="2"} 3.0 # {trace_id="4bf92f35"} 1.0 1.7e+09
# TYPE h_seconds histogram
# UNIT h_seconds seconds
h_seconds_bucket{le="0.5"} 1 # {trace_id="4bf92f35"} 0.25 1.7e+09
h_seconds_bucket{le="1.0"} 2
h_seconds_bucket{le="+Inf"} 2
h_seconds_sum 0.75
h_seconds_count 2
# EOF
`

func parsed(t *testing.T, body string) Page {
	t.Helper()
	p, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBothFormatsReadTheSame(t *testing.T) {
	a, b := parsed(t, text), parsed(t, openMetrics)
	if err := Equal(a, b, false); err != nil {
		t.Error(err)
	}
	if a.Exemplars != 0 || b.Exemplars != 2 {
		t.Errorf("there are %d and %d exemplars, want 0 and 2", a.Exemplars, b.Exemplars)
	}
	if v := a.Samples[`a_total{x="1",y="2"}`]; v != 3 || a.Series() != 2 {
		t.Errorf("a_total is %v, of %d series", v, a.Series())
	}
}

func TestDifferencesAreNoticed(t *testing.T) {
	whole := parsed(t, text)
	for name, change := range map[string]func(Page){
		"another value":  func(p Page) { p.Samples[`h_seconds_bucket{le="1"}`] = 3 },
		"a series more":  func(p Page) { p.Samples[`b{}`] = 0 },
		"a series less":  func(p Page) { delete(p.Samples, `h_seconds_count{}`) },
		"an empty sum":   func(p Page) { p.Samples[`h_seconds_sum{}`] = 0 },
		"nothing at all": func(p Page) { clear(p.Samples) },
		"another boundary": func(p Page) {
			delete(p.Samples, `h_seconds_bucket{le="0.5"}`)
			p.Samples[`h_seconds_bucket{le="0.6"}`] = 1
		},
	} {
		other := parsed(t, text)
		change(other)
		for _, timed := range []bool{false, true} {
			if Equal(whole, other, timed) == nil || Equal(other, whole, timed) == nil {
				t.Errorf("%s is not noticed", name)
			}
		}
	}
	slower := parsed(t, text)
	slower.Samples[`h_seconds_sum{}`] = 0.9
	if err := Equal(whole, slower, true); err != nil {
		t.Errorf("a sum of times need not be the same: %v", err)
	}
}

func TestSelections(t *testing.T) {
	p := parsed(t, text)
	if n := len(p.Only("h_seconds").Samples); n != 5 {
		t.Errorf("h_seconds has %d samples, want 5", n)
	}
	if n := len(p.Prefix("a_").Samples); n != 1 {
		t.Errorf("%d samples begin with a_, want 1", n)
	}
}
