package ffmpeg

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const hidden = "***"

// Parts of any text that may be secret: of URLs, of requests, and values that are called so.
var (
	userinfo = regexp.MustCompile(`(:/+)[^/\s'"]*@`)
	// A password with a slash: what follows the first colon is no port.
	oddUserinfo = regexp.MustCompile(`(:/+)[^/\s'":@]*:[0-9]*[^0-9/\s'"@][^\s'"@]*@`)
	query       = regexp.MustCompile(`(:/+[^\s?'"]*\?)[^\s'"]*[^\s'":,]`)
	fragment    = regexp.MustCompile(`(:/+[^\s#'"]*#)[^\s'"]*[^\s'":,]`)
	streamKey   = regexp.MustCompile(`(rtmp[a-z]*:/+[^/\s'"]+/[^/\s'"]+/)[^\s'"]*[^\s'":,]`)
	header      = regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z0-9-]*(?:key|token|secret|auth|signature)[a-z0-9-]*)(\s*:\s*)\S.*`)
	bearer      = regexp.MustCompile(`(?i)\b(bearer\s+)[a-z0-9+/=._~-]{6,}`)
	assignment  = regexp.MustCompile(`(?i)((?:pass|passw(?:or)?d|passphrase|secret|token|signature|\bsig|credential|(?:api|access|account|private|shared|aes|enc|cryption)[_-]?key)(?:\s*=\s*|"\s*:\s*))('[^']*'|"[^"]*"|[^\s&'",;:]+)`)
)

// redact returns text without what may be secret in it.
func redact(text string) string {
	if strings.Contains(text, ":/") {
		text = userinfo.ReplaceAllString(text, "${1}"+hidden+"@")
		text = oddUserinfo.ReplaceAllString(text, "${1}"+hidden+"@")
		text = query.ReplaceAllString(text, "${1}"+hidden)
		text = fragment.ReplaceAllString(text, "${1}"+hidden)
		text = streamKey.ReplaceAllString(text, "${1}"+hidden)
	}
	if strings.Contains(text, ":") {
		text = header.ReplaceAllString(text, "${1}${2}"+hidden)
	}
	if strings.ContainsAny(text, "=:") {
		text = assignment.ReplaceAllString(text, "${1}"+hidden)
	}
	return bearer.ReplaceAllString(text, "${1}"+hidden)
}

// secretOption matches the names of options whose values are secret.
var secretOption = regexp.MustCompile(`(?i)^-(?:headers|cookies|http_proxy|key|iv|.*(?:password|passwd|pubpass|passphrase|secret|token|credential|authorization|[_-]key|[_-]iv))(?::|$)`)

// minSecret is the length, in bytes, from which a value is looked for wherever it occurs. A shorter
// one would hide parts of other words.
const minSecret = 5

// secretsOf returns the texts in arguments of ffmpeg that may be secret, the longest first: of
// URLs the user's name and password and the values of the query, and the values of options for
// headers, passwords and keys. ffmpeg repeats them in messages of many forms.
func secretsOf(args []string) []string {
	var found []string
	add := func(texts ...string) {
		for _, s := range texts {
			if s = strings.TrimSpace(s); len(s) >= minSecret {
				found = append(found, s)
			}
		}
	}
	for i, arg := range args {
		for rest := arg; ; {
			_, after, ok := strings.Cut(rest, "://")
			if !ok {
				break
			}
			add(secretsOfURL(after)...)
			rest = after
		}
		if i > 0 && secretOption.MatchString(args[i-1]) {
			for line := range strings.FieldsFuncSeq(arg, func(r rune) bool { return r == '\r' || r == '\n' }) {
				_, value, _ := strings.Cut(line, ":")
				_, credentials, _ := strings.Cut(strings.TrimSpace(value), " ") // Bearer …
				add(line, value, credentials)
			}
		}
	}
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(found)
}

// secretsOfURL takes a URL after its "://".
func secretsOfURL(rest string) (secrets []string) {
	add := func(s string) {
		secrets = append(secrets, s)
		if plain, err := url.PathUnescape(s); err == nil && plain != s {
			secrets = append(secrets, plain)
		}
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#|"); i >= 0 {
		end = i
	}
	if _, port, ok := strings.Cut(rest[:end], ":"); ok && !strings.Contains(port, "@") && strings.Trim(port, "0123456789") != "" {
		end = len(rest) // a password with a slash, since it is no port
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		add(rest[:at])
		if _, password, ok := strings.Cut(rest[:at], ":"); ok {
			add(password)
		}
	}
	_, values, _ := strings.Cut(rest, "?")
	for value := range strings.FieldsFuncSeq(values, func(r rune) bool { return strings.ContainsRune("&;#| ", r) }) {
		if _, v, ok := strings.Cut(value, "="); ok {
			value = v
		}
		add(value)
	}
	return secrets
}
