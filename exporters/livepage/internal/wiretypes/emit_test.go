package main

import (
	"os"
	"strings"
	"testing"
)

func TestTypesOfThePageAreCurrent(t *testing.T) {
	source, err := os.ReadFile("../../wire.go")
	if err != nil {
		t.Fatal(err)
	}
	want, err := emit("wire.go", source)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../page/wire.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("page/wire.d.ts is not what wire.go says: run go generate ./exporters/livepage")
	}
}

func TestEmit(t *testing.T) {
	const source = "package p\n" + `
// job is one.
type job struct {
	Run   string     ` + "`json:\"run\"`" + ` // the key
	End   int64      ` + "`json:\"end,omitempty\"`" + `
	ETA   *eta       ` + "`json:\"eta\"`" + `
	Costs []*amount  ` + "`json:\"costs\"`" + `
	Ok    bool       ` + "`json:\"ok\"`" + `
}
type amount int64
`
	const want = `
/** job is one. */
export interface Job {
  /** the key */
  run: string;
  end?: number;
  eta: Eta | null;
  costs: (Amount | null)[];
  ok: boolean;
}
`
	got, err := emit("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(got), want) {
		t.Errorf("got\n%s\nwant it to end with\n%s", got, want)
	}
}

func TestEmitRefusesWhatHasNoType(t *testing.T) {
	for reason, field := range map[string]string{
		"a map":                     "M map[string]int `json:\"m\"`",
		"a type of another package": "T time.Time `json:\"t\"`",
		"beyond a number":           "N uint64 `json:\"n\"`",
		"no tag":                    "N int",
		"no name":                   "N int `json:\",omitempty\"`",
		"an unknown option":         "N int `json:\"n,string\"`",
		"two of one line":           "A, B int `json:\"n\"`",
		"an embedded struct":        "job",
	} {
		if got, err := emit("p.go", []byte("package p\ntype j struct {\n"+field+"\n}\n")); err == nil {
			t.Errorf("%s: got %s, want an error", reason, got)
		}
	}
	if _, err := emit("p.go", []byte("package")); err == nil {
		t.Error("no Go: want an error")
	}
}
