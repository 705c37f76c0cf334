package price

import (
	_ "embed"
	"sync"
)

//go:embed prices.json
var embedded []byte

var defaults = sync.OnceValue(func() *Table {
	table, err := Parse(embedded)
	if err != nil { // a test reads the same bytes
		return &Table{}
	}
	return table
})

// Default returns the prices that come with the package, as [Table.Checked] says of when. The
// first call reads them.
func Default() *Table { return defaults() }
