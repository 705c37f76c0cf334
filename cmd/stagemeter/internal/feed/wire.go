package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// version is that of the JSON that this package reads. Within a version fields are only added.
const version = 1

// The structs have the fields that a terminal shows. TestFieldsAreThoseOfVersion1 compares their names
// and kinds with those of exporters/livepage. Times are milliseconds since 1970, lengths milliseconds,
// amounts nano-dollars; nil is unknown.

// A Snapshot is live/snapshot.json: the live jobs of a worker, and those that ended last.
type Snapshot struct {
	V         int      `json:"v"`
	Now       int64    `json:"now"`
	Service   Service  `json:"service"`
	Running   int      `json:"running"` // may be more than Jobs has
	Jobs      []Job    `json:"jobs"`
	Finished  []Job    `json:"finished"`
	KeepMost  int      `json:"keep_most"`
	Hour      Hour     `json:"hour"`
	Budget    *Budget  `json:"budget"`
	Attention []Notice `json:"attention"` // the most urgent first
}

// An Answer is live/job.json: one job.
type Answer struct {
	V   int   `json:"v"`
	Now int64 `json:"now"`
	Job Job   `json:"job"`
}

// A Service is the program that a worker runs. Started distinguishes two processes, which both
// count their runs from 1.
type Service struct {
	Name     Text  `json:"name"`
	Instance Text  `json:"instance"`
	Version  Text  `json:"version"`
	Started  int64 `json:"started"`
}

// An Hour sums up the jobs that ended in the last hour.
type Hour struct {
	Completed int     `json:"completed"`
	Failed    int     `json:"failed"`
	Canceled  int     `json:"canceled"`
	Spent     *Amount `json:"spent"`
	Unpriced  int     `json:"unpriced"`
}

// A Budget is an account. Held is reserved for calls under way.
type Budget struct {
	Limit Amount `json:"limit"`
	Spent Amount `json:"spent"`
	Held  Amount `json:"held"`
}

// A Job is one run of a job.
type Job struct {
	Run         Text  `json:"run"` // its key in one process
	ID          Text  `json:"id"`
	Type        Text  `json:"type"`
	Attempt     int   `json:"attempt"`
	MaxAttempts int   `json:"max_attempts"`
	Trace       Text  `json:"trace"`
	Start       int64 `json:"start"`
	End         int64 `json:"end"` // 0: it lives
	Status      Text  `json:"status"`
	Error       Text  `json:"error"`
	Video       int64 `json:"video"`

	Progress *float64 `json:"progress"`
	ETA      *ETA     `json:"eta"`
	Spent    *Amount  `json:"spent"`
	Unpriced int      `json:"unpriced"`
	Budget   *Budget  `json:"budget"`
	Stalled  int64    `json:"stalled"`
	Overdue  float64  `json:"overdue"`

	Stages     []Stage `json:"stages"`
	MoreStages int     `json:"more_stages"`
	Calls      []Call  `json:"calls"`
	MoreCalls  int     `json:"more_calls"`
	Errors     []Fault `json:"errors"`
	MoreErrors int     `json:"more_errors"`

	Raw json.RawMessage `json:"-"` // the job as the worker sent it, with fields that are newer than this program
}

// UnmarshalJSON reads a job, and keeps its text.
func (j *Job) UnmarshalJSON(text []byte) error {
	type fields Job
	if err := json.Unmarshal(text, (*fields)(j)); err != nil {
		return err
	}
	j.Raw = bytes.Clone(text)
	return nil
}

// An ETA is how long something still takes. In about eight of ten cases that is between Least and
// Most.
type ETA struct {
	Left   int64 `json:"left"`
	Least  int64 `json:"least"`
	Most   int64 `json:"most"`
	Runs   int   `json:"runs"`
	Scaled bool  `json:"scaled"`
}

// A Stage is one stage of a job.
type Stage struct {
	Name     Text     `json:"name"`
	Depth    int      `json:"depth"`
	Start    int64    `json:"start"`
	End      int64    `json:"end"`
	Error    Text     `json:"error"`
	Progress *float64 `json:"progress"`
	Speed    float64  `json:"speed"`
	Usual    *Usual   `json:"usual"`
	Stalled  int64    `json:"stalled"`
	Overdue  bool     `json:"overdue"`
}

// A Usual is how long earlier runs of a stage took.
type Usual struct {
	P50  int64 `json:"p50"`
	P90  int64 `json:"p90"`
	Runs int   `json:"runs"`
}

// A Call is a paid call.
type Call struct {
	API      Text    `json:"api"`
	Stage    Text    `json:"stage"`
	Start    int64   `json:"start"`
	End      int64   `json:"end"`
	Most     *Amount `json:"most"`
	Cost     *Amount `json:"cost"`
	Unpriced Text    `json:"unpriced"`
	Error    Text    `json:"error"`
}

// A Fault counts the errors of a stage and type.
type Fault struct {
	Type  Text `json:"type"`
	Stage Text `json:"stage"`
	Count int  `json:"count"`
}

// A Notice is a reason to look at a job.
type Notice struct {
	Kind Text `json:"kind"` // stalled, overdue, over_budget
	Run  Text `json:"run"`
	Job  Text `json:"job"`
	Text Text `json:"text"`
}

// An Amount is money in nano-dollars.
type Amount int64

// UnmarshalJSON reads a number, or a string of one that JavaScript could not hold.
func (a *Amount) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(bytes.Trim(text, `"`)), 10, 64)
	if err != nil {
		return fmt.Errorf("an amount is %.40q", text)
	}
	*a = Amount(n)
	return nil
}
