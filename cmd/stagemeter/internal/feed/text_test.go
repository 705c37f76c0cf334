package feed

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ reason, text, want string }{
		{"as it is", "podcast-ep 118 · Überblick 界 👍", "podcast-ep 118 · Überblick 界 👍"},
		{"an escape sequence", "\x1b]0;title\x07\x1b[2Jx", "]0;title[2Jx"},
		{"C1", "\u009b31mx\u0085y", "31mx y"},
		{"lines", "a\r\nb\tc\u2028d", "a  b c d"},
		{"directions", "\u202eabc\u2066d\u200f\u061c", "abcd"},
		{"invisible", "a\u200bb\ufeffc\U000e0041d\u00ade", "abcde"},
		{"no UTF-8", "a\xffb\xc0\xaf", "a\uFFFDb\uFFFD"},
		{"marks", "e" + strings.Repeat("\u0301", 9) + "x", "e\u0301\u0301x"},
		{"private use", "\ue000x", "x"},
		{"nothing", " \x00\n ", ""},
	} {
		if got := Clean(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
	if got := []rune(Clean(strings.Repeat("x", 1000))); len(got) != longest+1 || got[longest] != '…' {
		t.Errorf("a long text has %d characters", len(got))
	}
}

// Every text of a snapshot is clean, wherever it is.
func TestEveryTextIsClean(t *testing.T) {
	text := `{"service":{"name":"\u001b[31m"},"attention":[{"text":"\u202ex"}],"jobs":[{"id":"\u009b2Jx","calls":[{"error":"\u0007"}],"stages":[{"name":"a\nb"}]}]}`
	var s Snapshot
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if s.Service.Name != "[31m" || s.Attention[0].Text != "x" || s.Jobs[0].ID != "2Jx" || s.Jobs[0].Calls[0].Error != "" || s.Jobs[0].Stages[0].Name != "a b" {
		t.Errorf("%+v", s)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\u202e\u009b\u0301")
	f.Fuzz(func(t *testing.T, text string) {
		clean := Clean(text)
		for _, r := range clean {
			if !unicode.IsPrint(r) {
				t.Errorf("%q has %q", clean, r)
			}
		}
		if Clean(clean) != clean && len([]rune(clean)) < longest {
			t.Errorf("%q is not clean", clean)
		}
	})
}
