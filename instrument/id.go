package instrument

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
)

// ids makes ids that are unique among all processes that share a ledger.
type ids struct {
	prefix  string
	secret  string // at the end of the ids of jobs that were given none; never shown
	holds   atomic.Uint64
	unnamed atomic.Uint64
}

func newIDs() ids { return ids{prefix: randomHex() + "-", secret: "~" + randomHex()} }

func randomHex() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, as of Go 1.24
	return hex.EncodeToString(b[:])
}

// hold returns the id of a new hold.
func (i *ids) hold() string {
	var b [32]byte // 17 of the prefix and at most 13
	return string(strconv.AppendUint(append(b[:0], i.prefix...), i.holds.Add(1), 36))
}

// job returns the id of a job that was given none, so that two such jobs do not share a budget.
// Nobody who sees its shown form can give another job that id.
func (i *ids) job() string {
	return fmt.Sprintf("unnamed~%s%016x%s", i.prefix[:16], i.unnamed.Add(1), i.secret)
}

// shown returns an id as series and spans show it.
func (i *ids) shown(id string) string {
	if shown, ours := strings.CutSuffix(id, i.secret); ours && i.secret != "" {
		return shown
	}
	return showID(id)
}

// showID cleans an id. It has the same form in every process.
func showID(id string) string { return show(id, maxIDLen) }
