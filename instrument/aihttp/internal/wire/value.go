package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Value is the text of one JSON value. A nil Value is none.
type Value []byte

// Each calls f for the members of an object, with the key as it is written, or the elements of an
// array, with a nil key, until f returns false. It does not allocate.
func (v Value) Each(f func(key []byte, value Value) bool) {
	s := scanner{text: v}
	s.space()
	open := s.next()
	if open != '{' && open != '[' {
		return
	}
	for {
		s.space()
		var key []byte
		if open == '{' {
			if key = s.value(); len(key) < 2 || key[0] != '"' {
				return
			}
			key = key[1 : len(key)-1]
			if s.space(); s.next() != ':' {
				return
			}
			s.space()
		}
		value := s.value()
		if len(value) == 0 || !f(key, value) {
			return
		}
		if s.space(); s.next() != ',' {
			return
		}
	}
}

// Get returns the member of an object at a path of keys, or nil.
func (v Value) Get(path ...string) Value {
	for _, name := range path {
		var found Value
		v.Each(func(key []byte, value Value) bool {
			if string(key) == name {
				found = value
			}
			return true
		})
		if v = found; v == nil {
			return nil
		}
	}
	return v
}

// Null reports whether there is no value, or null.
func (v Value) Null() bool { return len(v) == 0 || string(v) == "null" }

// Int returns a whole number of 0 or more; one that is written with a fraction of zeros, too.
func (v Value) Int() (int64, bool) {
	n, ok := v.Decimal(0)
	if ok && bytes.ContainsAny(v, ".-") { // it may have been rounded
		var nano int64
		nano, ok = v.Decimal(9)
		ok = ok && nano%1_000_000_000 == 0
	}
	return n, ok
}

// Decimal returns a number of 0 or more times 10 to the power of digits, exactly; what is beyond
// those digits is rounded, half up. It takes a number in a string, too.
func (v Value) Decimal(digits int) (int64, bool) {
	s := string(v)
	if len(s) >= 2 && s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	return ParseDecimal(s, digits)
}

// ParseDecimal reads a decimal of 0 or more, with an exponent or not, times 10 to the power of
// digits. What is beyond those digits is rounded, half up.
func ParseDecimal(s string, digits int) (int64, bool) {
	mantissa, exp := s, 0
	for i := range len(s) {
		if s[i] == 'e' || s[i] == 'E' {
			var err error
			if exp, err = strconv.Atoi(s[i+1:]); err != nil || exp > 100 || exp < -400 {
				return 0, false
			}
			mantissa = s[:i]
			break
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" {
		return 0, false
	}
	keep := len(whole) + digits + exp // of the digits, from the left
	var n int64
	for i := range max(len(whole)+len(fraction), keep) {
		c := byte('0')
		switch {
		case i < len(whole):
			c = whole[i]
		case i < len(whole)+len(fraction):
			c = fraction[i-len(whole)]
		}
		d := int64(c) - '0'
		switch {
		case d < 0 || d > 9:
			return 0, false
		case i < keep && n > (math.MaxInt64-d)/10:
			return 0, false
		case i < keep:
			n = n*10 + d
		case i == keep && d >= 5:
			if n == math.MaxInt64 {
				return 0, false
			}
			n++
		}
	}
	return n, true
}

// Text returns a string, or "" for another value.
func (v Value) Text() string {
	if len(v) < 2 || v[0] != '"' {
		return ""
	}
	for _, c := range v {
		if c == '\\' || c >= utf8.RuneSelf {
			var s string
			if json.Unmarshal(v, &s) != nil {
				return ""
			}
			return s
		}
	}
	return string(v[1 : len(v)-1])
}

// Is reports whether the value is the string s, which has no character that JSON escapes.
func (v Value) Is(s string) bool {
	return len(v) == len(s)+2 && v[0] == '"' && string(v[1:len(v)-1]) == s
}

// Runes returns how many characters a string has.
func (v Value) Runes() int64 { return int64(utf8.RuneCountInString(v.Text())) }

// scanner finds where the values of a text end.
type scanner struct {
	text []byte
	i    int
}

func (s *scanner) space() {
	for s.i < len(s.text) {
		switch s.text[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

func (s *scanner) next() byte {
	if s.i == len(s.text) {
		return 0
	}
	s.i++
	return s.text[s.i-1]
}

// value returns the value that begins here, or nil if it has no end.
func (s *scanner) value() []byte {
	from, depth := s.i, 0
	for s.i < len(s.text) {
		switch c := s.text[s.i]; c {
		case '"':
			if !s.skipString() {
				return nil
			}
			if depth == 0 {
				return s.text[from:s.i]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.text[from:s.i]
			}
			if depth--; depth == 0 {
				s.i++
				return s.text[from:s.i]
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return s.text[from:s.i]
			}
		}
		s.i++
	}
	if depth > 0 {
		return nil
	}
	return s.text[from:s.i]
}

func (s *scanner) skipString() bool {
	for s.i++; s.i < len(s.text); s.i++ {
		switch s.text[s.i] {
		case '\\':
			s.i++
		case '"':
			s.i++
			return true
		}
	}
	return false
}
