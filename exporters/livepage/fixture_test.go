package livepage

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
)

// UnmarshalJSON reads what MarshalJSON writes.
func (a *amount) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	*a = amount(n)
	return err
}

// testdata/page.json, a busy process as the page's own tests show it, is a snapshot in every field.
func TestSnapshotOfThePageIsOne(t *testing.T) {
	text, err := os.ReadFile("testdata/page.json")
	if err != nil {
		t.Fatal(err)
	}
	var s snapshot
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	if diff := differs("snapshot", got, want); diff != "" {
		t.Error(diff)
	}
}

// differs returns the path of the first difference between two values of JSON, or "".
func differs(path string, got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		have, _ := got.(map[string]any)
		for k := range have {
			if _, ok := want[k]; !ok {
				return path + "." + k + " is missing"
			}
		}
		for k := range want {
			if diff := differs(path+"."+k, have[k], want[k]); diff != "" {
				return diff
			}
		}
	case []any:
		have, _ := got.([]any)
		if len(have) != len(want) {
			return path + " has another length"
		}
		for i := range want {
			if diff := differs(path+"."+strconv.Itoa(i), have[i], want[i]); diff != "" {
				return diff
			}
		}
	default:
		if got != want {
			return path + " differs"
		}
	}
	return ""
}
