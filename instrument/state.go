package instrument

import (
	"math"
	"slices"
	"time"
)

// A Query chooses the runs that [Pipeline.Snapshot] returns.
type Query struct {
	Job   string // only runs of this id, as StartJob was given it or as series show it; "" for all
	Run   uint64 // only this run; 0 for all
	Limit int    // the most live runs and the most ended ones to return; 0 or less for 1,000

	shown string // Job as series show it
}

const defaultSnapshot = 1000

// A Snapshot is the state of a pipeline at a moment: a copy, which belongs to the caller.
type Snapshot struct {
	Time   time.Time
	Live   []JobState  // the oldest first
	Ended  []JobState  // the newest first; of [WithHistory]
	Stages []string    // the names of all stages: the declared ones in their order, then others
	APIs   []APIState  // that were used; the most expensive first
	Pools  []PoolState // that are observed
	// LiveJobs and EndedJobs count the runs that fit the query, also beyond its Limit.
	LiveJobs, EndedJobs int
	// Forgotten is when the newest of the runs ended that are not kept, or no longer; zero: all are.
	Forgotten time.Time
}

// A JobState is the state of one run of a job. Fields may be added.
type JobState struct {
	JobRef
	TraceID  string // "" if it is not traced
	Start    time.Time
	End      time.Time     // zero while the job lives
	Outcome  Outcome       // zero while the job lives
	Video    time.Duration // length of the video; 0: unknown
	Cost     USD           // booked by this run so far
	Costs    []APICost     // of it, by API; of live runs of one id together
	Unpriced int           // calls of this run whose cost is not known
	Budget   *BudgetState  // nil without a budget
	Progress *Progress     // the newest report in the job; nil if there is none

	// All below are kept only with [WithDetails] or [WithHistory]. The field beside a list has the
	// number of those that are not in it.

	Estimate      *Estimate    // nil while nothing is known, and after the end
	Stages        []StageState // in the order of their starts
	MoreStages    int
	Calls         []CallState // paid calls, in the order of their starts; those under way have no End
	MoreCalls     int
	Errors        []ErrorState   // by stage and type, as errors_total counts them
	MoreErrors    int            // errors of other types
	Processes     []ProcessState // under way
	MoreProcesses int
	Quality       QualityState
}

// An APICost is what was spent on one API.
type APICost struct {
	API  string
	Cost USD
}

// A BudgetState is the state of the account that a job spends from, as its ledger last said.
type BudgetState struct {
	Account     string // its id, as series show ids; jobs with the same one share these figures
	Limit       USD    // Unlimited when nothing is refused
	Spent       USD    // of all who spend from the account, with Unconfirmed
	Held        USD
	Unconfirmed USD // booked for calls that never ended, or of which nobody knows the cost
}

// A StageState is the state of one stage.
type StageState struct {
	Name      string
	Depth     int // 0: not inside of another stage
	Start     time.Time
	End       time.Time // zero: under way
	ErrorType string
	Progress  *Progress // nil if none was reported
	Usual     *Usual    // nil without earlier runs
	Estimate  *Estimate // nil while nothing is known, and after the end
	Stalled   time.Time // when its progress last grew, if that is unusually long ago; else zero
	Overdue   bool      // it has taken longer than nearly all earlier runs
}

// An Estimate says how much of the work under way is done, and how long the rest takes.
type Estimate struct {
	Fraction float64 // that is done: 0 to 0.99, since only the end makes it 1; -1: unknown
	// Left is how long the rest takes, most likely; in about eight of ten cases it takes at least
	// Least and at most Most. All three are -1 while that is unknown.
	Left, Least, Most time.Duration
	Runs              int  // earlier runs that it rests on; 0: only its own progress
	Scaled            bool // in proportion to the length of the video
}

// A Usual is how long earlier successful runs of a stage took; see [WithStageTimes].
type Usual struct {
	Runs          int  // that it is taken from: 1 to 64
	Shorter       int  // of them, those that took less time than this run has taken
	Scaled        bool // in proportion to the length of the video
	P50, P90, P95 time.Duration
}

// A CallState is the state of one paid call.
type CallState struct {
	API       string
	Stage     string
	Start     time.Time
	End       time.Time // zero: under way
	MaxCost   USD       // of WithMaxCost; 0: unknown
	Cost      USD       // booked; 0 while the call is under way
	Unpriced  string    // why the cost is not known; "" if it is
	ErrorType string
}

// An ErrorState counts the errors of one stage and type.
type ErrorState struct {
	Stage, ErrorType string
	Count            int
	Last             time.Time
}

// A ProcessState is a process of [StartProcess].
type ProcessState struct {
	PID   int
	Name  string // of the executable, without its path
	Stage string // that started it; "" outside of any stage
	Start time.Time
	// StageStart is the Start of that stage, which tells it from others of its name. It is zero if
	// the stage is not in Stages.
	StageStart time.Time
	// CPU is the CPU time that it has used since CPUSince. Both are zero unless its stage is
	// stalled and the system reports CPU times, as Linux does.
	CPU      time.Duration
	CPUSince time.Time
}

// QualityState holds the quality values that were recorded in a job: each list at most its first
// 1,000.
type QualityState struct {
	LoudnessBefore, LoudnessAfter []LU // spreads; see [RecordLoudnessSpread]
	Gains                         []Decibel
	Segments                      int // the sum; -1 if none was recorded
	Highlights                    []float64
}

// Progress is how far a stage or a job has come, as [ReportProgress] last said.
type Progress struct {
	Stage string  // the stage that reported it; "" for the job itself
	Done  float64 // 0 or more
	Total float64 // 0: unknown. Done may be more, since a total may be an estimate
	Unit  string  // of Done and Total, such as "s" or "frames"; "" if it was not said
	Speed float64 // media time per elapsed time; 0: unknown
	At    time.Time
	Grown time.Time // when Done last grew, or began anew with less
}

// A JobRef names a run of a job.
type JobRef struct {
	ID   string // as series show it; see [Pipeline.StartJob]
	Run  uint64 // unique in the process: two runs may have one id; 0 outside of any job
	Type string // of WithJobType
	// Attempt and MaxAttempts are those of WithAttempt, 0 if unknown.
	Attempt, MaxAttempts int
}

// StageTimes are how long the newest successful runs of a stage took: at most 64, the oldest first.
// They can be stored as JSON.
type StageTimes struct {
	Stage string
	Runs  []StageRun
}

// A StageRun is how long one run of a stage took, and how long its video was; 0 if unknown.
type StageRun struct{ Took, Video time.Duration }

// end makes s the state of a run that has ended. Stages that outlive it have no estimate.
func (s *JobState) end(at time.Time, as Outcome) {
	s.End, s.Outcome, s.Estimate = at, as, nil
	for i := range s.Stages {
		stage := &s.Stages[i]
		stage.Estimate, stage.Stalled, stage.Overdue = nil, time.Time{}, false
	}
}

// clone returns a copy that shares nothing with s.
func (s JobState) clone() JobState {
	s.Budget, s.Progress, s.Estimate = copied(s.Budget), copied(s.Progress), copied(s.Estimate)
	s.Costs, s.Stages, s.Calls = slices.Clone(s.Costs), slices.Clone(s.Stages), slices.Clone(s.Calls)
	for i := range s.Stages {
		stage := &s.Stages[i]
		stage.Progress, stage.Usual, stage.Estimate = copied(stage.Progress), copied(stage.Usual), copied(stage.Estimate)
	}
	s.Errors, s.Processes = slices.Clone(s.Errors), slices.Clone(s.Processes)
	s.Quality = s.Quality.clone()
	return s
}

func (q QualityState) clone() QualityState {
	q.LoudnessBefore, q.LoudnessAfter = slices.Clone(q.LoudnessBefore), slices.Clone(q.LoudnessAfter)
	q.Gains, q.Highlights = slices.Clone(q.Gains), slices.Clone(q.Highlights)
	return q
}

// matches reports whether a run is one that the query asks for.
func (q Query) matches(run uint64, shown string) bool {
	return (q.Run == 0 || q.Run == run) && (q.Job == "" || q.Job == shown || q.shown == shown)
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// seconds returns a length in seconds as a duration.
func seconds(s float64) time.Duration {
	if d := s * float64(time.Second); d < math.MaxInt64 {
		return time.Duration(d)
	}
	return math.MaxInt64
}
