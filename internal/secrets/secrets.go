// Package secrets hides what may be secret in texts of others: the parts of URLs that hold users,
// passwords and keys.
package secrets

import (
	"regexp"
	"strings"
)

// hidden are the parts of a text that may be secret, each with its replacement. A URL that net/url
// refuses may have spaces and quotes in it, and is quoted by strconv then. Elsewhere only a password
// has spaces: a URL without one ends there.
var hidden = []struct {
	part  *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`("[^\s"\\/@]*://)(?:(?:[^"\\@]|\\.)*@)+`), "$1…@"},               // user and password
	{regexp.MustCompile(`://[^\s"/:@]*:\d*[^\d\s"/:@][^"@\n]*@`), "://…@"},                // the same without quotes
	{regexp.MustCompile(`://(?:[^\s"@]*@)+`), "://…@"},                                    // and without spaces
	{regexp.MustCompile(`"[^\s"\\/@:]*:(?:[^"\\@/]|\\.)(?:(?:[^"\\@]|\\.)*@)+`), `"…@`},   // without a scheme
	{regexp.MustCompile(`(://[^\s"/:@?#\[\]]*):\d*[A-Za-z%_~!$&*+=-][^\s"/?#]*`), "$1:…"}, // a port that is none
	{regexp.MustCompile(`(://[^\s"'?#]*[?#])[^\s"']+`), "$1…"},                            // query, fragment
	{regexp.MustCompile("(!![a-z]+ )`[^`]*`"), "$1`…`"},                                   // a value of YAML
}

// Hide returns text without the secrets of URLs in it: users, passwords, queries, fragments, and
// ports that are none. Nor has it the values of a YAML file that has errors.
func Hide(text string) string {
	if !strings.Contains(text, "://") && !strings.Contains(text, "@") && !strings.Contains(text, "!!") {
		return text
	}
	for _, h := range hidden {
		text = h.part.ReplaceAllString(text, h.shown)
	}
	return text
}

// maxName is how many bytes of a name are searched, so that a huge one costs little.
const maxName = 1 << 16

var (
	userInfo = regexp.MustCompile(`://[^/?#\s]*@`)
	// keyValue knows a parameter by a word in its name. The words that others contain, as "design" and
	// "author" do, count only at the end.
	keyValue = regexp.MustCompile(`(?i)([?&;#][^=&;#\s]*(?:(?:signature|token|secret|passw|pwd|cred|hmac|authoriz)[^=&;#\s]*|` +
		`(?:sig|key|key[-_]?id|auth)[-_0-9]*)=)[^&;#\s]+`)
)

// HideInName is Hide for a name that may be a URL on purpose, such as a job's id: of its query it
// hides only the values of parameters that hold keys, as those of a presigned URL do.
// Of a huge name it returns the beginning.
func HideInName(name string) string {
	if !strings.Contains(name, "://") {
		return name
	}
	name = name[:min(len(name), maxName)]
	return keyValue.ReplaceAllString(userInfo.ReplaceAllString(name, "://…@"), "$1…")
}
