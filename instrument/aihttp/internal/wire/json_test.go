package wire_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

// pieces writes text in pieces of n bytes.
// pieces writes a text in pieces of n. Of a long text, small pieces are only those at its begin, at its
// end and where a line or an event becomes too long to be held: the rest comes in large ones.
func pieces(w interface{ Write([]byte) (int, error) }, text string, n int) {
	for p := []byte(text); len(p) > 0; {
		const border, near = 1 << 20, 1000
		m := min(n, len(p))
		if len(text) > border && n < near && len(p) > near {
			if written := len(text) - len(p); written%border > near && written%border < border-near {
				m = min(border-near-written%border, len(p)-near)
			}
		}
		_, _ = w.Write(append([]byte(nil), p[:m]...))
		p = p[m:]
	}
}

var tree = wire.NewTree("usage", "model", "response.usage", "*.usage", "output.*.type")

func TestJSON(t *testing.T) {
	for text, want := range map[string][]string{
		`{"usage": {"a": [1, "x\"}"], "usage": 2}, "model": "m"}`: {`{"a": [1, "x\"}"], "usage": 2}`, `"m"`, "", "", ""},
		`{"content": "{\"usage\": 9}", "usage": null}`:            {"null", "", "", "", ""},
		`{"response": {"usage": 7}, "x": {"usage": 1}}`:           {"", "", "7", "", ""},
		`[{"usage": 1}, {"usage": {"n": 2}}, {}]`:                 {"", "", "", `{"n": 2}`, ""},
		`{"usage": 1, "usage": 2}`:                                {"2", "", "", "", ""},
		`{"usage": 1} {"usage": 2}` + "\n":                        {"2", "", "", "", ""},
		`{"output": [{"type": "a"}, {"type": "b"}]}`:              {"", "", "", "", `"b"`},
		`{"usage": {"n": 1`:                                       {"", "", "", "", ""},
		`{"usage": 12`:                                            {"", "", "", "", ""},
		`{"usage": 1}}}}{"usage": 2}`:                             {"1", "", "", "", ""},
		`<p>none</p>`:                                             {"", "", "", "", ""},
		`{"a": "\\", "usage": 5}`:                                 {"5", "", "", "", ""},
		`{"` + strings.Repeat("k", 100) + `": 1, "usage": 5}`:     {"5", "", "", "", ""},
		`{"a":[[],{},[{}]],"usage":{}}`:                           {"{}", "", "", "", ""},
		strings.Repeat("[", 200) + `{"usage": 1}`:                 {"", "", "", "", ""},
	} {
		for _, n := range []int{1, 2, 7, 512} {
			j := wire.NewJSON(tree)
			pieces(j, text, n)
			for i := range want {
				if got := string(j.Value(i)); got != want[i] {
					t.Errorf("%.80s in pieces of %d: path %d is %q, want %q", text, n, i, got, want[i])
				}
			}
		}
	}
	j := wire.NewJSON(tree)
	pieces(j, `{"usage": "`+strings.Repeat("x", 1<<20)+`", "model": "m"}`, 4096)
	if !j.TooBig() || j.Value(0) != nil || string(j.Value(1)) != `"m"` {
		t.Errorf("%t, %.20s, %s", j.TooBig(), j.Value(0), j.Value(1))
	}
}

// What encoding/json finds at a path, JSON finds, in pieces of any size; and it never panics.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"usage":{"a":1},"model":"x"}`, `[{"usage":[]}]`, `{"usage":"\u00e9\\"}`, `{"response":{"usage":1.5e3}}`, `{"a":{"b":[1,2,{"c":null}]},"usage":true}`} {
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		j := wire.NewJSON(tree)
		pieces(j, text, int(size)+1)
		_, _ = j.Write([]byte("\n"))
		var whole map[string]any
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if dec.Decode(&whole) != nil || dec.More() || strings.Contains(text, `\`) || strings.Count(text, `usage`) != 1 || len(text) > 5000 ||
			strings.Count(text, "[")+strings.Count(text, "{") > 100 { // deeper than what is read
			return
		}
		usage, ok := whole["usage"]
		if !ok {
			return
		}
		dec = json.NewDecoder(bytes.NewReader(j.Value(0)))
		dec.UseNumber()
		var got any
		if err := dec.Decode(&got); err != nil || !reflect.DeepEqual(got, usage) {
			t.Errorf("%q: %v (%v), want %v", text, got, err, usage)
		}
	})
}

func TestDecimal(t *testing.T) {
	for text, want := range map[string]int64{
		"0.00012345": 123450, "1": 1e9, "1e-9": 1, "1.5E-9": 2, "0.0000000005": 1, "0.00000000049": 0, "12.345e1": 123_450_000_000,
		"0": 0, "0.0": 0, `"3.5"`: 3_500_000_000, "4.4e-10": 0, "15e-10": 2, "9.2e9": 9_200_000_000_000_000_000,
	} {
		if got, ok := wire.Value(text).Decimal(9); !ok || got != want {
			t.Errorf("%s: %d, %t; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "-1", "x", "1.2.3", "1e", "1e999", "NaN", "null", "9300000000", "1e10", "9223372036.8547758075", "{}", ".", `""`} {
		if got, ok := wire.Value(text).Decimal(9); ok {
			t.Errorf("%q: %d, want none", text, got)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0.00012345", "9223372036.8547758075", "1e-9", "99999.999999999e-3", "5e-1", "123456789012345678e-12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := wire.ParseDecimal(s, 9)
		if !ok {
			return
		}
		r, is := new(big.Rat).SetString(s)
		if !is {
			return
		}
		r.Mul(r, big.NewRat(1e9, 1)).Add(r, big.NewRat(1, 2))
		want := new(big.Int).Quo(r.Num(), r.Denom())
		if want.Cmp(big.NewInt(got)) != 0 {
			t.Errorf("%s: %d, want %v", s, got, want)
		}
	})
}

func TestValue(t *testing.T) {
	v := wire.Value(`{"a": {"b": [1, {"c": "x\u00fc"}]}, "n": 12, "s": "y", "null": null}`)
	for text, want := range map[string]int64{"12": 12, "12.0": 12, "1.2e1": 12, `"12"`: 12, "12.5": -1, "125e-1": -1, "-12": -1, "1e99": -1, "": -1} {
		if n, ok := wire.Value(text).Int(); ok != (want >= 0) || ok && n != want {
			t.Errorf("%s is %d, %t", text, n, ok)
		}
	}
	if n, ok := v.Get("n").Int(); !ok || n != 12 {
		t.Error(n, ok)
	}
	if got := v.Get("s").Text(); got != "y" || !v.Get("s").Is("y") || v.Get("s").Is("yy") {
		t.Error(got)
	}
	n := 0
	v.Get("a", "b").Each(func(_ []byte, v wire.Value) bool {
		if n++; n == 2 && (v.Get("c").Text() != "xü" || v.Get("c").Runes() != 2) {
			t.Errorf("%s", v)
		}
		return true
	})
	if n != 2 || !v.Get("null").Null() || !v.Get("none").Null() || v.Get("n").Null() || v.Get("a", "x", "y") != nil {
		t.Error(n)
	}
	for _, bad := range []string{"", "{", `{"n"`, `{"n":`, `{"n":}`, `{1:2}`, `[`, `[1`, `{"n": "`, `{"a":1,"n"`} {
		if got := wire.Value(bad).Get("n"); got != nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

func TestInt(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "12": 12, "12.0": 12, "1.2e1": 12, "1200e-2": 12, `"12"`: 12, "9223372036854775807": 9223372036854775807,
		"-1": -1, "12.5": -1, "0.4": -1, "5e-1": -1, "9223372036854775808": -1, "1e99": -1, `"x"`: -1, "": -1, "null": -1, "true": -1, "{}": -1,
	} {
		n, ok := wire.Value(text).Int()
		if ok != (want >= 0) || ok && n != want {
			t.Errorf("%s: %d, %t", text, n, ok)
		}
	}
}

func TestDone(t *testing.T) {
	for text, want := range map[string]bool{"": false, " ": false, "{": false, "{}": true, "[] ": true, "{} {": false, "{}}": false, "1": false, "1 ": true, `"a`: false, `"a"`: true} {
		j := wire.NewJSON(tree)
		if pieces(j, text, 1); j.Done() != want {
			t.Errorf("%q: %t", text, j.Done())
		}
		if j.Reset(); j.Done() {
			t.Errorf("%q: done before anything has come", text)
		}
	}
}

func TestCount(t *testing.T) {
	for _, n := range []int{1, 7, 512} {
		j := wire.NewJSON(tree)
		pieces(j, `{"output": [{"type": "a"}, {"x": 1}, {"type": "`+strings.Repeat("b", 100)+`"}, {"type": null}], "usage": 1}`, n)
		if j.Count(4) != 3 || j.Count(0) != 1 || j.Count(1) != 0 {
			t.Errorf("%d, %d, %d", j.Count(4), j.Count(0), j.Count(1))
		}
		if j.Reset(); j.Count(4) != 0 {
			t.Error(j.Count(4))
		}
	}
}

func FuzzValue(f *testing.F) {
	f.Add(`{"a": {"b": 1}}`)
	f.Fuzz(func(t *testing.T, s string) {
		v := wire.Value(s)
		got := v.Get("a", "b")
		v.Each(func(_ []byte, v wire.Value) bool { _ = v.Text(); return true })
		var whole map[string]json.RawMessage
		if json.Unmarshal([]byte(s), &whole) != nil || strings.Contains(s, `\`) {
			return
		}
		var inner map[string]json.RawMessage
		if json.Unmarshal(whole["a"], &inner) != nil || strings.Count(s, `"a"`) != 1 || strings.Count(s, `"b"`) != 1 {
			return
		}
		if string(got) != string(inner["b"]) {
			t.Errorf("%q: %q, want %q", s, got, inner["b"])
		}
	})
}

// Item is called once for each object that a path goes through, with the values of that one only.
func TestItems(t *testing.T) {
	const text = `{"output":[{"type":"a","in":{"x":1}},7,[{"type":"no"}],{"in":{"x":2}},{},{"in":{"x":[3]},"type":"d"}],"other":[{"type":"e"}],"in":{"x":4}}`
	tree := wire.NewTree("output.*.type", "output.*.in.x", "in.x").Items("output.*")
	for _, n := range []int{1, 7, len(text)} {
		j := wire.NewJSON(tree)
		var got []string
		j.Item = func() { got = append(got, string(j.Value(0))+" "+string(j.Value(1))) }
		for range 2 {
			pieces(j, text, n)
			if want := []string{`"a" 1`, " 2", " ", `"d" [3]`}; !slices.Equal(got, want) || string(j.Value(2)) != "4" {
				t.Errorf("in pieces of %d: %q, %s, want %q", n, got, j.Value(2), want)
			}
			j.Reset()
			got = nil
		}
	}
}
