package instrumenttest

import (
	"slices"
	"strings"
)

// diff returns the lines that differ, along a longest common subsequence: "- " marks a line that is
// only in want, "+ " one that is only in got. It returns "" if the texts are equal.
func diff(want, got string) string {
	if want == got {
		return ""
	}
	a, b := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	common := make([][]int, len(a)+1) // common[i][j] is the length for a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	write := func(mark, line string) {
		if line != "" {
			out.WriteString(mark + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			write("  ", a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			write("- ", a[i])
			i++
		default:
			write("+ ", b[j])
			j++
		}
	}
	return out.String()
}

// dedent removes blank lines, and the indentation that all other lines share. A tab counts as one
// space, so a text must be indented with only one of them.
func dedent(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	margin := -1
	for _, l := range lines {
		if indent := len(l) - len(strings.TrimLeft(l, " \t")); margin < 0 || indent < margin {
			margin = indent
		}
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(l[margin:], " \t") + "\n")
	}
	return b.String()
}
