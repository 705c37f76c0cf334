package instrumenttest

import "testing"

func TestDiff(t *testing.T) {
	for _, tt := range []struct{ reason, want, got, diff string }{
		{"equal", "a\nb\n", "a\nb\n", ""},
		{"a line changed", "a\nb\nc\n", "a\nx\nc\n", "  a\n- b\n+ x\n  c\n"},
		{"a line missing", "a\nb\n", "b\n", "- a\n  b\n"},
		{"a line too many", "a\n", "a\nb\n", "  a\n+ b\n"},
		{"lines swapped", "a\nb\n", "b\na\n", "- a\n  b\n+ a\n"},
		{"nothing wanted", "", "a\n", "+ a\n"},
		{"nothing there", "a\n", "", "- a\n"},
		{"only the newline at the end", "a\n", "a", "- a\n+ a\n"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			if got := diff(tt.want, tt.got); got != tt.diff {
				t.Errorf("got\n%s\nwant\n%s", got, tt.diff)
			}
		})
	}
}

func TestDedent(t *testing.T) {
	for _, tt := range []struct{ reason, in, out string }{
		{"an indented literal", "\n\t\tjob\n\t\t  stage\n\t", "job\n  stage\n"},
		{"not indented", "job\n  stage\n", "job\n  stage\n"},
		{"spaces at line ends", "\tjob \n\t  stage\t\n", "job\n  stage\n"},
		{"a blank line within", "\tjob\n\n\tjob\n", "job\njob\n"},
		{"nothing", "", ""},
		{"blank", "\n  \n\t\n", ""},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			if got := dedent(tt.in); got != tt.out {
				t.Errorf("got %q, want %q", got, tt.out)
			}
		})
	}
}
