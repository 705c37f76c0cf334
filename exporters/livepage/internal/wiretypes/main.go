// Command wiretypes writes the types of the page's JSON, as the Go structs of wire.go declare them, so
// that the page's code is checked against them:
//
//	go generate ./exporters/livepage
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("wire.go", "page/wire.d.ts"); err != nil {
		fmt.Fprintln(os.Stderr, "wiretypes:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	source, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	text, err := emit(from, source)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
