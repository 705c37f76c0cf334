package main

import "testing"

func TestSectionsAreChosenByName(t *testing.T) {
	for list, want := range map[string]int{"": len(sections), "stage": 1, "startup,stage": 2} {
		if got, err := choose(list); err != nil || len(got) != want {
			t.Errorf("-run %q chooses %d sections, error %v; want %d", list, len(got), err, want)
		}
	}
	if got, err := choose("stage,startup"); err != nil || got[0].name != "stage" {
		t.Errorf("the first of stage,startup is %v, error %v", got, err)
	}
	if _, err := choose("stages"); err == nil {
		t.Error("a section that does not exist is taken")
	}
}
