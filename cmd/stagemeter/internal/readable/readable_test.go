package readable

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// nano is an amount as the JSON of the page has it.
type nano int64

// The page's own figures, by its own table: exporters/livepage/page/tests/format.test.js.
func TestFiguresAreThoseOfThePage(t *testing.T) {
	text, err := os.ReadFile("../../../../exporters/livepage/testdata/figures.json")
	if err != nil {
		t.Fatal(err)
	}
	var tables map[string][][2]json.RawMessage
	if err := json.Unmarshal(text, &tables); err != nil {
		t.Fatal(err)
	}
	type args []json.RawMessage
	float := func(a json.RawMessage) float64 {
		var f float64
		if err := json.Unmarshal(a, &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	whole := func(a json.RawMessage) int64 {
		n, err := strconv.ParseInt(strings.Trim(string(a), `"`), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	amount := func(a json.RawMessage) *nano {
		if string(a) == "null" {
			return nil
		}
		n := nano(whole(a))
		return &n
	}
	write := map[string]func(args) any{
		"usd":     func(a args) any { return USD(amount(a[0])) },
		"minus":   func(a args) any { return strconv.FormatInt(int64(Minus(*amount(a[0]), *amount(a[1]))), 10) },
		"part":    func(a args) any { return Part(*amount(a[0]), *amount(a[1])) },
		"length":  func(a args) any { return Length(whole(a[0])) },
		"about":   func(a args) any { return About(whole(a[0])) },
		"percent": func(a args) any { return Percent(float(a[0])) },
		"times":   func(a args) any { return Times(float(a[0])) },
		"roughly": func(a args) any { return Roughly(whole(a[0])) },
		"range":   func(a args) any { return Range(whole(a[0]), whole(a[1])) },
		"count":   func(a args) any { return Count(int(whole(a[0]))) },
		"many":    func(a args) any { return Many(int(whole(a[0])), strings.Trim(string(a[1]), `"`)) },
	}
	for name, rows := range tables {
		if write[name] == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		for _, row := range rows {
			var a args
			var want any
			if err := json.Unmarshal(row[0], &a); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(row[1], &want); err != nil {
				t.Fatal(err)
			}
			if got := write[name](a); got != want {
				t.Errorf("%s(%s) = %v, want %v", name, row[0], got, want)
			}
		}
		delete(write, name)
	}
	for name := range write {
		t.Errorf("the page has no table of %s", name)
	}
}

func TestExtremes(t *testing.T) {
	const least, most = nano(math.MinInt64), nano(math.MaxInt64)
	for _, tt := range []struct{ got, want string }{
		{USD(new(least)), "−$9,223,372,036.85"},
		{About(math.MaxInt64), "106751991167 d 7 h"},
		{Percent(math.NaN()), None},
		{Percent(math.Inf(1)), "99 %"},
		{Times(math.Inf(1)), None},
		{Count(-1234), "−1,234"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	if Plus(most, 1) != most || Minus(least, 1) != least || Plus(2, nano(-3)) != -1 {
		t.Error("a sum is not the nearest amount")
	}
}
