package feed

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// DefaultAddress is where a program serves its metrics and its live page.
const DefaultAddress = "http://localhost:9099"

const defaultPort = "9099"

// ParseAddress returns the address of a live page as a URL with a slash at its end. Without a
// scheme it is http, and without a scheme and a port the port is 9099. A query and a fragment, as a
// link to a job has, are left out. An error never contains the user or password of the text.
func ParseAddress(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("a URL is empty")
	}
	scheme, rest, complete := strings.Cut(text, "://")
	if !complete {
		scheme, rest = "http", text
	}
	host, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		return nil, fmt.Errorf("%s: other users of this machine would see a user or password in a URL: use -user, and put the password in STAGEMETER_PASSWORD or -password-file",
			Clean(scheme+"://…@"+rest[at+1:]))
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || u.Opaque != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not a URL such as %s", Clean(afterUser(text)), DefaultAddress)
	}
	if u.Scheme = strings.ToLower(u.Scheme); u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q begins with neither http nor https", Clean(afterUser(text)))
	}
	name, port := u.Hostname(), u.Port()
	if name == "" {
		if complete {
			return nil, fmt.Errorf("%q has no host", Clean(text))
		}
		name = "localhost"
	}
	if port == "" && !complete {
		port = defaultPort
	}
	switch {
	case port != "":
		u.Host = net.JoinHostPort(name, port)
	case strings.Contains(name, ":"):
		u.Host = "[" + name + "]"
	default:
		u.Host = name
	}
	u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = "", false, "", ""
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	return u, nil
}

// afterUser returns a text without what may be a user and a password.
func afterUser(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		return "…" + text[at:]
	}
	return text
}
