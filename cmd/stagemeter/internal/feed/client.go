package feed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	largest  = 8 << 20 // bytes of an answer, unpacked
	patience = 5 * time.Second
)

// A Client requests the JSON of live pages. It is safe for concurrent use.
type Client struct {
	http           *http.Client
	user, password string
	patience       time.Duration // for a whole answer
}

// Snapshot returns the snapshot of the worker at base. With match, Jobs and Finished have only jobs
// whose id, or the name of one of their stages, contains it. It waits for at most five seconds.
// Errors do not name the worker.
func (c *Client) Snapshot(ctx context.Context, base *url.URL, match string) (*Snapshot, error) {
	query := ""
	if match != "" {
		query = url.Values{"match": {match}}.Encode()
	}
	s := new(Snapshot)
	if err := c.get(ctx, base, "live/snapshot.json", query, s); err != nil {
		return nil, err
	}
	return s, nil
}

// Job returns a run of the worker at base, or nil if the worker does not remember it.
func (c *Client) Job(ctx context.Context, base *url.URL, run string) (*Answer, error) {
	a := new(Answer)
	err := c.get(ctx, base, "live/job.json", url.Values{"run": {run}}.Encode(), a)
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

var errNotFound = errors.New("404 Not Found: no live page is mounted there (docs/livepage.md)")

func (c *Client) get(ctx context.Context, base *url.URL, path, query string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	u := base.JoinPath(path)
	u.RawQuery = query
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errors.New("the address cannot be requested")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "stagemeter")
	if c.user != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return c.cause(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return c.refusal(resp)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, largest+1))
	if err != nil {
		return c.cause(ctx, err)
	}
	if len(text) > largest {
		return fmt.Errorf("the answer is larger than %d MB", largest>>20)
	}
	return decode(text, into)
}

// decode reads an answer, if it is of a version that this program knows.
func decode(text []byte, into any) error {
	var head struct {
		V *int `json:"v"`
	}
	if err := json.Unmarshal(text, &head); err != nil || head.V == nil {
		return fmt.Errorf("the answer is not that of a live page: %q", firstLine(bytes.NewReader(text)))
	}
	if *head.V != version {
		return fmt.Errorf("it answers in version %d of the JSON, this program reads version %d: update the older one of the two", *head.V, version)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %s", Clean(err.Error()))
	}
	return nil
}

// cause returns why a request failed, without the URL.
func (c *Client) cause(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", c.patience)
	}
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err
	}
	return errors.New(Clean(err.Error()))
}

// refusal returns the error for a status other than 200.
func (c *Client) refusal(resp *http.Response) error {
	status := fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized && c.user == "":
		return errors.New(status + ": it asks for a user and a password (-user)")
	case code == http.StatusUnauthorized:
		return errors.New(status + ": it refuses this user and password")
	case code == http.StatusNotFound:
		return errNotFound
	case code/100 == 3:
		if to, err := resp.Location(); err == nil {
			to.User, to.RawQuery, to.Fragment = nil, "", ""
			return fmt.Errorf("%s: it leads to %s, which is not followed", status, Clean(to.String()))
		}
	}
	if line := firstLine(resp.Body); line != "" {
		return errors.New(status + ": " + line)
	}
	return errors.New(status)
}

// firstLine returns the beginning of the first line of a text, for people.
func firstLine(r io.Reader) string {
	line, _ := bufio.NewReader(io.LimitReader(r, 400)).ReadString('\n')
	line = Clean(line)
	if runes := []rune(line); len(runes) > 100 {
		return strings.TrimSpace(string(runes[:100])) + "…"
	}
	return line
}
