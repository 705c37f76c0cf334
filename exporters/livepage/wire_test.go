package livepage

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
)

// Within version 1 fields are only added: each that testdata/fields.txt has must still be there, as
// the same kind of value. One that is new is added to that file, by -update, which removes none.
func TestFieldsOfVersion1(t *testing.T) {
	if version != 1 {
		t.Fatal("a new version has a list of its own")
	}
	const name = "testdata/fields.txt"
	text, err := os.ReadFile(name)
	if err != nil && !*update {
		t.Fatal(err)
	}
	frozen := strings.Fields(string(text))
	var fields []string
	addFields(&fields, "snapshot", reflect.TypeFor[snapshot]())
	addFields(&fields, "answer", reflect.TypeFor[answer]())
	for _, f := range frozen {
		if !slices.Contains(fields, f) {
			t.Errorf("%s is gone, or is another kind of value: programs read it", f)
		}
	}
	for _, f := range fields {
		if !slices.Contains(frozen, f) {
			if frozen = append(frozen, f); !*update {
				t.Errorf("%s is new: add it to docs/livepage.md, and to %s by -update", f, name)
			}
		}
	}
	if *update {
		slices.Sort(frozen)
		if err := os.WriteFile(name, []byte(strings.Join(frozen, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// addFields lists the fields of a struct by their JSON names, as path:kind. A "?" is of a kind that
// may be null, a "-" of a field that may be left out.
func addFields(all *[]string, path string, of reflect.Type) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind, of := "", f.Type
		if option == "omitempty" {
			kind = "-"
		}
		name = path + "." + name
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
			if of.Kind() == reflect.Pointer {
				kind += "?"
			} else {
				name += "[]"
			}
			of = of.Elem()
		}
		switch {
		case of == reflect.TypeFor[amount]():
			kind = "amount" + kind
		case of.Kind() == reflect.Struct:
			kind = "object" + kind
			addFields(all, name, of)
		case of.Kind() == reflect.String, of.Kind() == reflect.Bool:
			kind = of.Kind().String() + kind
		default:
			kind = "number" + kind
		}
		*all = append(*all, name+":"+kind)
	}
}

// What a JavaScript number does not hold exactly is a string.
func TestAmounts(t *testing.T) {
	for amount, want := range map[amount]string{
		0: "0", -1: "-1", 1<<53 - 1: "9007199254740991", 1 - 1<<53: "-9007199254740991",
		1 << 53: `"9007199254740992"`, -1 << 53: `"-9007199254740992"`,
		math.MaxInt64: `"9223372036854775807"`, math.MinInt64: `"-9223372036854775808"`,
	} {
		if got, err := json.Marshal(amount); err != nil || string(got) != want {
			t.Errorf("%d: %s, %v, want %s", int64(amount), got, err, want)
		}
	}
}

// What is not known is null or left out.
func TestUnknownIsNotZero(t *testing.T) {
	unlimited := instrument.BudgetState{Account: "a", Limit: instrument.Unlimited, Spent: 1}
	s := instrument.Snapshot{
		Time: now,
		Live: []instrument.JobState{{
			JobRef: instrument.JobRef{ID: "a", Run: 1}, Start: now, Unpriced: 1, Budget: &unlimited,
			Estimate: &instrument.Estimate{Fraction: -1, Left: -1, Least: -1, Most: -1},
			Stages:   []instrument.StageState{{Name: "x", Start: now, Progress: &instrument.Progress{}}},
			Calls: []instrument.CallState{
				{API: "gpt", Start: now},                                // under way
				{API: "gpt", Start: now, End: now, Unpriced: "unknown"}, // unpriced
				{API: "gpt", Start: now, End: now},                      // free
			},
			Processes: []instrument.ProcessState{{PID: 1, Name: "ffmpeg", Start: now}},
			Quality:   instrument.QualityState{Segments: -1},
		}},
		APIs:  []instrument.APIState{{API: "gpt", Calls: 1, Unpriced: 1}},
		Pools: []instrument.PoolState{{Kind: instrument.PoolRedis, Name: "cache"}},
		Ended: []instrument.JobState{{JobRef: instrument.JobRef{ID: "b", Run: 2}, Start: now, End: now, Unpriced: 1, Quality: instrument.QualityState{Segments: -1}}},
	}
	var b builder
	var got map[string]any
	if err := json.Unmarshal(marshal(t, b.build(s)), &got); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"jobs.0.spent": nil, "jobs.0.budget": nil, "jobs.0.progress": nil, "jobs.0.eta": nil, "jobs.0.quality": nil,
		"jobs.0.stages.0.progress": nil, "jobs.0.stages.0.eta": nil, "jobs.0.stages.0.usual": nil, "jobs.0.stages.0.speed": missing,
		"jobs.0.video": missing, "jobs.0.attempt": missing, "jobs.0.trace": missing, "jobs.0.end": missing, "jobs.0.stalled": missing, "jobs.0.overdue": missing,
		"jobs.0.calls.0.cost": nil, "jobs.0.calls.0.most": nil, "jobs.0.calls.1.cost": nil, "jobs.0.calls.2.cost": 0.0,
		"processes.0.cpu": nil, "processes.0.speed": missing, "pools.0.max": missing, "apis.0.cost": nil, "spent": nil,
		"hour.spent": nil, "hour.spent_each.29": nil, "hour.spent_each.0": 0.0, "hour.top_error": nil, "budget": nil, "telemetry": nil, "fleet": nil,
		"finished.0.spent": nil,
	} {
		if have := at(got, strings.Split(path, ".")); have != want {
			t.Errorf("%s: %v, want %v", path, have, want)
		}
	}
	if f := (&Page{fleet: fakeFleet{Time: now, Queued: -1, Workers: -1, Lost: -1}}).fleetNow(); f.Queued != nil || f.Workers != nil || f.Lost != nil {
		t.Errorf("fleet %+v", f)
	}
	if f := (&Page{fleet: fakeFleet{Queued: 3}}).fleetNow(); f != nil {
		t.Errorf("a fleet that was never heard of: %+v", f)
	}
	known := instrument.Snapshot{Time: now, APIs: []instrument.APIState{{API: "gpt", Calls: 1, Priced: true}, {API: "x", Calls: 1, Unpriced: 1}}}
	if s := b.build(known); s.Spent == nil || *s.Spent != 0 {
		t.Errorf("spent %v, want 0: a free call is known to be", s.Spent)
	}
}

const missing = "missing"

// at returns what a value of JSON has at a path.
func at(v any, path []string) any {
	for _, key := range path {
		switch of := v.(type) {
		case map[string]any:
			next, ok := of[key]
			if !ok {
				return missing
			}
			v = next
		case []any:
			n := 0
			for _, digit := range key {
				n = 10*n + int(digit-'0')
			}
			v = of[n]
		default:
			return "no object at " + key
		}
	}
	return v
}
