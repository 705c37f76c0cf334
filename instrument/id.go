package instrument

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"sync/atomic"
)

// ids makes ids that are unique among all processes that share a ledger.
type ids struct {
	prefix  string
	holds   atomic.Uint64
	unnamed atomic.Uint64
}

func randomPrefix() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, as of Go 1.24
	return hex.EncodeToString(b[:]) + "-"
}

// hold returns the id of a new hold.
func (i *ids) hold() string {
	var b [32]byte // 17 of the prefix and at most 13
	return string(strconv.AppendUint(append(b[:0], i.prefix...), i.holds.Add(1), 36))
}

// job returns the id of a job that was given none, so that two such jobs do not share a budget.
func (i *ids) job() string {
	return "unnamed-" + i.prefix + strconv.FormatUint(i.unnamed.Add(1), 10)
}

// showID cleans an id, and ends one that had to be changed with a checksum, so that ids which
// differ only in what was changed stay apart.
func showID(id string) string {
	if shown := clean(id, maxIDLen); shown == id || shown == "" {
		return shown
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, id) // never fails
	sum := fmt.Sprintf("~%016x", h.Sum64())
	return clean(id, maxIDLen-len(sum)) + sum
}
