package screen

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// The figures are those of the live page: its own tests and those of `stagemeter top` read the same
// table.
func TestFiguresAreThoseOfThePage(t *testing.T) {
	text, err := os.ReadFile("../../../../exporters/livepage/testdata/figures.json")
	if err != nil {
		t.Fatal(err)
	}
	var tables map[string][][2]json.RawMessage // of arguments and what they are written as
	if err := json.Unmarshal(text, &tables); err != nil {
		t.Fatal(err)
	}
	number := func(arg json.RawMessage) int64 {
		n, err := strconv.ParseInt(strings.Trim(string(arg), `"`), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	lengthOf := func(arg json.RawMessage) time.Duration { return time.Duration(number(arg)) * time.Millisecond }
	for name, write := range map[string]func(args []json.RawMessage) string{
		"usd": func(args []json.RawMessage) string {
			if string(args[0]) == "null" {
				return moneyOf(&instrument.JobState{Unpriced: 1})
			}
			return usd(instrument.USD(number(args[0])))
		},
		"length":  func(args []json.RawMessage) string { return length(lengthOf(args[0])) },
		"about":   func(args []json.RawMessage) string { return about(lengthOf(args[0])) },
		"roughly": func(args []json.RawMessage) string { return roughly(lengthOf(args[0])) },
		"percent": func(args []json.RawMessage) string {
			share, err := strconv.ParseFloat(string(args[0]), 64)
			if err != nil {
				t.Fatal(err)
			}
			return percent(share)
		},
		"count": func(args []json.RawMessage) string { return count(uint64(number(args[0]))) },
		"many": func(args []json.RawMessage) string {
			return many(int(number(args[0])), strings.Trim(string(args[1]), `"`))
		},
	} {
		if len(tables[name]) == 0 {
			t.Errorf("the page has no table of %s", name)
		}
		for _, row := range tables[name] {
			var args []json.RawMessage
			var want string
			if err := json.Unmarshal(row[0], &args); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(row[1], &want); err != nil {
				t.Fatal(err)
			}
			if got := write(args); got != want {
				t.Errorf("%s(%s) = %q, want %q", name, row[0], got, want)
			}
		}
	}
	if got, want := usd(math.MinInt64), "−$9,223,372,036.85"; got != want {
		t.Errorf("the least amount is %q, want %q", got, want)
	}
}
