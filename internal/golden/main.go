// Golden reads files that have the traffic of a paid call, prices of its own, and what the call cost.
// It sends the traffic through package aihttp, and prints for each file its name, what it should
// cost, and what was counted. It exits with 1 if they differ.
//
//	go run ./internal/golden FILE…
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(files []string) (code int) {
	if len(files) == 0 {
		fmt.Fprintln(os.Stderr, "usage: golden FILE…")
		return 2
	}
	for _, name := range files {
		got, want, err := check(name)
		if err != nil {
			fmt.Printf("%s\t-\t%v\n", name, err)
			code = 1
			continue
		}
		if !got.same(want) {
			code = 1
		}
	}
	return code
}

// check plays a file, and prints what it cost.
func check(name string) (got, want Result, err error) {
	f, err := read(name)
	if err != nil {
		return got, want, err
	}
	if want, err = f.Expected.Result(); err != nil {
		return got, want, err
	}
	if got, err = f.play(playOptions{}); err != nil {
		return got, want, err
	}
	text := [2]string{want.String(), got.String()}
	if !got.same(want) && text[0] == text[1] {
		text[0], text[1] = text[0]+" by "+want.Source, text[1]+" by "+got.Source
	}
	fmt.Printf("%s\t%s\t%s\n", f.Name, text[0], text[1])
	return got, want, nil
}

// Result is what a call cost in nano-dollars, or that nobody knows.
type Result struct {
	Nano    int64
	Unknown bool
	Source  string // of the cost: table, provider or none; "" if not known
}

// same reports whether a result is the one that a file expects. What costs nothing may be by any
// source: nobody needs a price for it.
func (r Result) same(want Result) bool {
	if r.Nano != want.Nano || r.Unknown != want.Unknown {
		return false
	}
	return want.Source == "" || r.Source == "" || r.Source == want.Source || r.Nano == 0 && !r.Unknown && r.Source != "provider"
}

func (r Result) String() string {
	if r.Unknown {
		return "unknown"
	}
	return strconv.FormatInt(r.Nano, 10)
}
