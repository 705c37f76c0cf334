package media

import "strings"

// EscapePath writes a path so that it can stand as an option's value in a filter graph: ffmpeg takes away two layers of
// escapes, the graph's and then the option list's.
func EscapePath(path string) string {
	option := strings.NewReplacer(`\`, `\\`, `'`, `\'`, `:`, `\:`).Replace(path)
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, `[`, `\[`, `]`, `\]`, `,`, `\,`, `;`, `\;`).Replace(option)
}
