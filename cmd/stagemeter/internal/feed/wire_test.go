package feed

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

const pageData = "../../../../exporters/livepage/testdata/"

// All that this program reads is what the page promises to send, as the same kind of value, for as long as
// there is a version 1.
func TestFieldsAreThoseOfVersion1(t *testing.T) {
	text, err := os.ReadFile(pageData + "fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	sent := make(map[string]string)
	for _, f := range strings.Fields(string(text)) {
		name, kind, _ := strings.Cut(f, ":")
		sent[name] = kind
	}
	read := 0
	var check func(path string, of reflect.Type)
	check = func(path string, of reflect.Type) {
		nullable := of.Kind() == reflect.Pointer
		if nullable {
			of = of.Elem()
		}
		kind := ""
		switch {
		case of == reflect.TypeFor[Amount]():
			kind = "amount"
		case of == reflect.TypeFor[Text]():
			kind = "string"
		case of.Kind() == reflect.Struct:
			kind = "object"
			for i := range of.NumField() {
				if tag := of.Field(i).Tag.Get("json"); tag != "-" {
					check(path+"."+tag, of.Field(i).Type)
				}
			}
		case of.Kind() == reflect.Slice:
			check(path+"[]", of.Elem())
			return
		case of.Kind() == reflect.Bool:
			kind = "bool"
		case of.Kind() == reflect.Int || of.Kind() == reflect.Int64 || of.Kind() == reflect.Float64:
			kind = "number"
		}
		if !strings.Contains(path, ".") {
			return
		}
		read++
		if has := strings.TrimRight(sent[path], "?-"); has != kind {
			t.Errorf("%s is read as %q, and sent as %q", path, kind, sent[path])
		}
		if strings.HasSuffix(sent[path], "?") != nullable {
			t.Errorf("%s is sent as %q: only what may be null is a pointer", path, sent[path])
		}
	}
	check("snapshot", reflect.TypeFor[Snapshot]())
	check("answer", reflect.TypeFor[Answer]())
	if read < 150 {
		t.Errorf("only %d fields are read", read)
	}
}

func TestGoldensOfThePage(t *testing.T) {
	read := func(name string, into any) {
		text, err := os.ReadFile(pageData + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(text, into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var full, empty Snapshot
	var one Answer
	read("snapshot.json", &full)
	read("empty.json", &empty)
	read("job.json", &one)
	j := full.Jobs[0]
	if j.ID != "podcast-118" || *j.Spent != 310_000_000 || *j.Progress != 0.7123 || j.ETA.Left != 165_000 || j.Budget.Held != 20_000_000 ||
		len(j.Stages) != 3 || j.Stages[1].Usual.P50 != 100_000 || j.Calls[1].Cost != nil || full.Finished[0].End == 0 || full.Attention[0].Kind != "stalled" {
		t.Errorf("%+v", full)
	}
	if *full.Finished[0].Spent != 10_000_000_000_000_000 { // a string
		t.Errorf("a large amount is %d", *full.Finished[0].Spent)
	}
	if len(empty.Jobs) != 0 || empty.Budget != nil || one.Job.Run != j.Run {
		t.Errorf("%+v, %+v", empty, one)
	}
	var raw map[string]any
	if err := json.Unmarshal(one.Job.Raw, &raw); err != nil || raw["quality"] == nil {
		t.Errorf("a job is not kept as it was sent: %v %v", err, raw)
	}
}

func TestAmount(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Amount
		ok   bool
	}{
		{"12", 12, true}, {`"-9007199254740993"`, -9007199254740993, true}, {"1.5", 0, false}, {`"9223372036854775808"`, 0, false}, {"true", 0, false}, {`""`, 0, false},
	} {
		var a Amount
		if err := json.Unmarshal([]byte(tt.text), &a); a != tt.want || (err == nil) != tt.ok {
			t.Errorf("%s is %d, %v", tt.text, a, err)
		}
	}
}
