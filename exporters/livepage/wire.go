package livepage

import (
	"strconv"

	"github.com/stagemeter/stagemeter/instrument"
)

// version is that of the JSON below. Within a version fields are only added: TestFieldsOfVersion1
// holds their names. docs/livepage.md describes each.
const version = 1

// All times are milliseconds since the Unix epoch, all lengths milliseconds, all amounts nano-dollars.
// Unknown values are null or left out, never 0. A list is never null.

// snapshot is live/snapshot.json, and the data of an event "snapshot" of live/events.
type snapshot struct {
	V       int     `json:"v"`
	Now     int64   `json:"now"`
	Every   int64   `json:"every"` // between two snapshots of a stream
	Service service `json:"service"`

	Stages   []string `json:"stages"` // the declared ones in their order, then others
	Running  int      `json:"running"`
	Jobs     []job    `json:"jobs"` // live ones: at most 100, those that need a look before others
	Finished []job    `json:"finished"`
	Kept     int      `json:"kept"` // ended jobs that are kept
	KeepMost int      `json:"keep_most"`

	Forgotten int64 `json:"forgotten,omitempty"` // when the newest job ended that is not remembered

	Hour      hour       `json:"hour"`
	Spent     *amount    `json:"spent"`  // on paid APIs since the start; null if no call had a price
	Budget    *budget    `json:"budget"` // of all live jobs with one; null if none has one
	APIs      []api      `json:"apis"`
	Errors    []fault    `json:"errors"`
	Processes []process  `json:"processes"`
	Pools     []pool     `json:"pools"`
	Highlight []int      `json:"highlight"` // scores of finished jobs from 0 to 1 in tenths
	Attention []notice   `json:"attention"`
	Telemetry *telemetry `json:"telemetry"` // null if the page was given none
	Fleet     *fleet     `json:"fleet"`     // null if the page was given none
}

// answer is live/job.json.
type answer struct {
	V   int   `json:"v"`
	Now int64 `json:"now"`
	Job job   `json:"job"`
}

type service struct {
	Name     string `json:"name"`
	Instance string `json:"instance"`
	Version  string `json:"version,omitempty"`
	Started  int64  `json:"started"`
	Metrics  bool   `json:"metrics,omitempty"` // metrics and healthz are beside the page
}

// hour sums up the jobs that ended in the last hour, as far as they are kept, and the errors of
// that hour, also of live jobs. Each list has 30 figures, of two minutes each, the oldest first.
type hour struct {
	Completed int     `json:"completed"`
	Failed    int     `json:"failed"`
	Canceled  int     `json:"canceled"`
	Whole     bool    `json:"whole"` // no job of the hour is forgotten
	Spent     *amount `json:"spent"` // null if calls were made and none had a price
	Unpriced  int     `json:"unpriced"`
	Errors    int     `json:"errors"`
	TopError  *fault  `json:"top_error"`

	FinishedEach []int     `json:"finished_each"`
	SpentEach    []*amount `json:"spent_each"`
	ErrorsEach   []int     `json:"errors_each"`
}

type budget struct {
	Limit       amount `json:"limit"`
	Spent       amount `json:"spent"`
	Held        amount `json:"held"`
	Unconfirmed amount `json:"unconfirmed"`
	Refused     *int64 `json:"refused"` // calls since the start; null for that of one job
}

type job struct {
	Run         string `json:"run"` // the key: two runs may have one id
	ID          string `json:"id"`
	Type        string `json:"type,omitempty"`
	Attempt     int    `json:"attempt,omitempty"`
	MaxAttempts int    `json:"max_attempts,omitempty"`
	Trace       string `json:"trace,omitempty"`
	Start       int64  `json:"start"`
	End         int64  `json:"end,omitempty"`
	Status      string `json:"status,omitempty"` // completed, failed, canceled; or how the attempt ended
	Error       string `json:"error,omitempty"`  // its type
	Video       int64  `json:"video,omitempty"`

	Progress *float64 `json:"progress"`
	ETA      *eta     `json:"eta"`
	Spent    *amount  `json:"spent"` // null if no call had a price
	Unpriced int      `json:"unpriced,omitempty"`
	Budget   *budget  `json:"budget"`
	Stalled  int64    `json:"stalled,omitempty"` // since when
	Overdue  float64  `json:"overdue,omitempty"` // how many times its usual length

	Stages     []stage  `json:"stages"`
	MoreStages int      `json:"more_stages,omitempty"`
	Calls      []call   `json:"calls"`
	MoreCalls  int      `json:"more_calls,omitempty"`
	Errors     []fault  `json:"errors,omitempty"`
	MoreErrors int      `json:"more_errors,omitempty"`
	Quality    *quality `json:"quality"`
}

type eta struct {
	Left   int64 `json:"left"`
	Least  int64 `json:"least"`
	Most   int64 `json:"most"`
	Runs   int   `json:"runs"`
	Scaled bool  `json:"scaled,omitempty"`
}

type stage struct {
	Name     string   `json:"name"`
	Depth    int      `json:"depth,omitempty"`
	Start    int64    `json:"start"`
	End      int64    `json:"end,omitempty"`
	Error    string   `json:"error,omitempty"`
	Progress *float64 `json:"progress"`
	Speed    float64  `json:"speed,omitempty"`
	ETA      *eta     `json:"eta"`
	Usual    *usual   `json:"usual"`
	Stalled  int64    `json:"stalled,omitempty"`
	Overdue  bool     `json:"overdue,omitempty"`
}

type usual struct {
	P50     int64 `json:"p50"`
	P90     int64 `json:"p90"`
	Runs    int   `json:"runs"`
	Shorter int   `json:"shorter"` // of Runs
	Scaled  bool  `json:"scaled,omitempty"`
}

type call struct {
	API      string  `json:"api"`
	Stage    string  `json:"stage,omitempty"`
	Start    int64   `json:"start"`
	End      int64   `json:"end,omitempty"`
	Most     *amount `json:"most"` // that is reserved for it; null if that is unknown
	Cost     *amount `json:"cost"` // null while it is under way or unknown
	Unpriced string  `json:"unpriced,omitempty"`
	Error    string  `json:"error,omitempty"`
}

type quality struct {
	Before     *float64  `json:"before"` // the spread of loudness in LU
	After      *float64  `json:"after"`
	Segments   *int      `json:"segments"`
	Best       *float64  `json:"best"`
	Highlights []float64 `json:"highlights,omitempty"`
}

type api struct {
	API        string  `json:"api"`
	InProgress int64   `json:"in_progress"`
	Calls      int64   `json:"calls"` // that have ended
	Errors     int64   `json:"errors"`
	Refused    int64   `json:"refused"`
	Unpriced   int64   `json:"unpriced"`
	Cost       *amount `json:"cost"` // null if no call of it had a price
}

// fault counts the errors of one stage and type.
type fault struct {
	Type  string `json:"type"`
	Stage string `json:"stage"`
	Count int    `json:"count"`
	Last  int64  `json:"last,omitempty"`
}

type process struct {
	PID   int     `json:"pid"`
	Name  string  `json:"name"`
	Run   string  `json:"run"`
	Job   string  `json:"job"`
	Stage string  `json:"stage,omitempty"`
	Start int64   `json:"start"`
	Speed float64 `json:"speed,omitempty"`
	CPU   *int64  `json:"cpu"` // since its stage was seen to be stalled
}

type pool struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Used int64  `json:"used"`
	Idle int64  `json:"idle"`
	Max  int64  `json:"max,omitempty"`
}

// notice is a reason to look at a job.
type notice struct {
	Kind string `json:"kind"` // stalled, overdue, over_budget
	Run  string `json:"run"`
	Job  string `json:"job"`
	Text string `json:"text"`
}

type telemetry struct {
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	Rows []row  `json:"rows"`
}

type row struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	State string `json:"state,omitempty"` // ok, warn, bad
}

type fleet struct {
	At      int64  `json:"at"`
	Queued  *int64 `json:"queued"`
	Workers *int   `json:"workers"`
	Lost    *int   `json:"lost"`
}

// amount is money. Beyond what a JavaScript number holds exactly, it is a string.
type amount instrument.USD

// MarshalJSON returns the nano-dollars as a number or a string.
func (a amount) MarshalJSON() ([]byte, error) {
	const exact = 1<<53 - 1
	if a > exact || a < -exact {
		return strconv.AppendQuote(nil, strconv.FormatInt(int64(a), 10)), nil
	}
	return strconv.AppendInt(nil, int64(a), 10), nil
}
