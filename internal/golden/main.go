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
		g, err := read(name)
		if err == nil {
			var got Result
			if got, err = g.play(playOptions{}); err == nil {
				fmt.Printf("%s\t%s\t%s\n", g.Name, g.Expected, got)
				if got != g.Expected.Result() {
					code = 1
				}
				continue
			}
		}
		fmt.Printf("%s\t-\t%v\n", name, err)
		code = 1
	}
	return code
}

// Result is what a call cost in nano-dollars, or that nobody knows.
type Result struct {
	Nano    int64
	Unknown bool
}

func (r Result) String() string {
	if r.Unknown {
		return "unknown"
	}
	return strconv.FormatInt(r.Nano, 10)
}
