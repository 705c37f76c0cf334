package paid

import (
	"encoding/base64"
	"errors"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// An endpoint is where the service is, and what it has to be told.
type endpoint struct {
	url     string // without user and query
	host    string // with the port, if there is one
	key     string
	basic   string // the header Authorization for the user of the URL; "": none
	query   url.Values
	secrets secrets
}

// sentVariables are variables of the environment with secrets that the library of the client sends:
// a key, and lines of headers.
var sentVariables = []string{"OPENAI_ADMIN_KEY", "OPENAI_CUSTOM_HEADERS"}

// errURL does not wrap the error of package url, which shows the URL.
var errURL = errors.New("want a URL such as https://api.openai.com/v1; yours is not shown, because a key may be in it")

// parseEndpoint takes a base URL apart.
func parseEndpoint(base, key string) (endpoint, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return endpoint{}, errURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return endpoint{}, errURL
	}
	e := endpoint{host: u.Host, key: strings.TrimSpace(key), query: query}
	e.secrets.add(e.key)
	for _, name := range sentVariables {
		for line := range strings.Lines(os.Getenv(name)) {
			_, value, ok := strings.Cut(line, ":")
			if !ok {
				value = line
			}
			e.secrets.add(strings.TrimSpace(value))
		}
	}
	for _, values := range query {
		for _, value := range values {
			e.secrets.add(value)
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		e.basic = "Basic " + credentials
		e.secrets.add(u.User.Username())
		e.secrets.add(password)
		e.secrets.add(credentials)
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	e.url = u.String()
	return e, nil
}

// secrets are the texts that no error shows, the longest first.
type secrets []string

// add adds a secret, in the forms in which a URL may have it. What is shorter than three bytes
// is part of too many words, and "none" is what programs send that have no key.
func (s *secrets) add(secret string) {
	if len(secret) < 3 || secret == "none" {
		return
	}
	*s = append(*s, secret, url.QueryEscape(secret), url.PathEscape(secret))
	slices.SortFunc(*s, func(a, b string) int { return len(b) - len(a) })
}

// hidden stands for a secret.
const hidden = "[hidden]"

// Of URLs in the text of an error, also of broken ones of others: user and password, and the query.
var (
	userOfURL  = regexp.MustCompile(`://[^/\n"]*@`)
	queryOfURL = regexp.MustCompile(`[?#][^\s"=]*=[^\s"]*`)
)

// clean returns a text without secrets.
func (s secrets) clean(text string) string {
	text = userOfURL.ReplaceAllString(text, "://")
	text = queryOfURL.ReplaceAllString(text, "")
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return text
}

// short returns the printable runes of a text of others without secrets, each white space as one
// blank, and at most n of them.
func (s secrets) short(text string, n int) string {
	text = strings.Join(strings.Fields(s.clean(text)), " ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, text)
	text = s.clean(text) // once more: what was left out may have stood within a secret
	for i := range text {
		if n == 0 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
		n--
	}
	return text
}

// maxText bounds the text of an error, in runes: that of net/http may repeat what the service sent.
const maxText = 1000

// hide returns err with a text without secrets. What err wraps stays, for errors.As.
func (s secrets) hide(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if short := s.short(text, maxText); short != text {
		return &discreet{short, err}
	}
	return err
}

// discreet is an error whose text shows no secret.
type discreet struct {
	text string
	err  error
}

func (d *discreet) Error() string { return d.text }
func (d *discreet) Unwrap() error { return d.err }
