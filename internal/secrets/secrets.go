// Package secrets hides what may be secret in texts of others: the parts of URLs that hold users,
// passwords and keys.
package secrets

import (
	"regexp"
	"strings"
)

// hidden are the parts of a text that may be secret, each with its replacement. A URL
// that net/url refuses may have spaces in it, and is quoted then.
var hidden = []struct {
	part  *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`://[^"@]*@([^"@]*@)*`), "://…@"},                                 // user and password
	{regexp.MustCompile(`"[^\s"/@]*:[^"@/][^"@]*@([^"@]*@)*`), `"…@`},                     // without a scheme
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

var (
	userInfo = regexp.MustCompile(`://[^/?#\s@]*@`)
	keyValue = regexp.MustCompile(`(?i)([?&;#][^=&;#\s]*(?:sig|token|key|secret|passw|pwd|cred|auth)[^=&;#\s]*=)[^&;#\s]+`)
)

// HideInName is Hide for a name that may be a URL on purpose, such as a job's id: of its query it
// hides only the values of parameters that hold keys, as those of a presigned URL do.
func HideInName(name string) string {
	if !strings.Contains(name, "://") {
		return name
	}
	return keyValue.ReplaceAllString(userInfo.ReplaceAllString(name, "://…@"), "$1…")
}
