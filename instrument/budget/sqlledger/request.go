package sqlledger

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Operations.
const (
	opening    = "open"
	looking    = "look"
	reserving  = "reserve"
	settling   = "settle"
	releasing  = "release"
	closing    = "close"
	forgetting = "forget"
	cleaning   = "clean"
)

// A request is one operation, as the function of PostgreSQL takes it. Amounts are nano-dollars and
// times are nanoseconds.
type request struct {
	Op     string  `json:"op"`
	Scopes []scope `json:"scopes,omitempty"`
	Token  string  `json:"token,omitempty"` // of an Open
	Final  bool    `json:"final,omitempty"`

	Hold    string `json:"hold,omitempty"` // its key
	Name    string `json:"name,omitempty"` // its id for people, like the next two
	Job     string `json:"job,omitempty"`
	API     string `json:"api,omitempty"`
	Attempt int64  `json:"attempt,omitempty"`
	Free    bool   `json:"free,omitempty"`
	Amount  int64  `json:"amount,omitempty"`
	Floor   int64  `json:"floor,omitempty"`
	Lease   int64  `json:"lease,omitempty"`
	Cost    int64  `json:"cost,omitempty"`

	Unconfirmed int64 `json:"unconfirmed,omitempty"` // of Cost
}

// told returns what the operation is called where its thresholds are kept. To confirm a cost is
// another operation than to book it.
func (r *request) told() string {
	if r.Unconfirmed > 0 {
		return r.Op + " unconfirmed"
	}
	return r.Op
}

// A scope is that of a request.
type scope struct {
	Key   string `json:"key"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Limit int64  `json:"limit"` // of an Open
	Own   bool   `json:"own"`   // the hold is of the job that the scope is named after
}

// An answer is that to a request.
type answer struct {
	Code code  `json:"code"`
	At   int   `json:"at"`  // the scope that refused, or that is lost
	Was  int64 `json:"was"` // what the hold had, of a conflict
	figures
	Refused figures    `json:"refused"` // of the scope that refused
	Holds   int        `json:"holds"`   // that expired
	Booked  int64      `json:"booked"`  // for them
	Crossed []crossing `json:"crossed"`
	Again   bool       `json:"again"` // it does not fit, and expired holds are left to sweep: ask again
}

// figures are those of an account.
type figures struct {
	Limit       int64 `json:"lim"`
	Spent       int64 `json:"spent"`
	Held        int64 `json:"held"`
	Own         int64 `json:"own"`
	Unconfirmed int64 `json:"unconfirmed"`
}

type crossing struct {
	Scope   string `json:"scope"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Limit   int64  `json:"lim"`
	Percent int    `json:"percent"`
	Spent   int64  `json:"spent"`
}

// A code says how an operation ended.
type code string

const (
	done     code = ""
	refused  code = "refused"
	tooLarge code = "large"    // to be held
	conflict code = "conflict" // with another amount or cost
	ended    code = "ended"    // and reserved again
	lost     code = "lost"
)

// Bounds of what is kept, and of what one operation does.
const (
	sweepBatch = 500 // holds
	cleanBatch = 500 // rows of each table
	cleanEvery = 250 // rows of accounts that were opened and holds that ended

	keptEnded       = time.Hour           // after the lease
	keptUnleased    = 48 * time.Hour      // ended holds without a lease, and crossings
	keptUnconfirmed = 7 * 24 * time.Hour  // holds that are expired or unconfirmed, for a late settle
	keptCompleted   = 24 * time.Hour      // accounts of jobs, after a final Close
	keptIdle        = 90 * 24 * time.Hour // other accounts of jobs, days and months
)

// key returns what a scope or a hold is known by.
func key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0}) // only the last part may have a zero byte
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])
}

// nameLimit is how many bytes of an id people see.
const nameLimit = 256

// name makes of an id text that any database takes.
func name(id string) string {
	id = id[:min(len(id), nameLimit)]
	return strings.ReplaceAll(strings.ToValidUTF8(id, "\uFFFD"), "\x00", "\uFFFD")
}

func requestScopes(scopes []budget.Scope) []scope {
	list := make([]scope, len(scopes))
	for i, s := range scopes {
		list[i] = scope{Key: key(string(s.Kind), s.ID), Kind: string(s.Kind), Name: name(s.ID), Limit: int64(s.Limit)}
	}
	return list
}

func sum(a, b int64) int64 { return int64(money.Sum(money.USD(a), money.USD(b))) }
