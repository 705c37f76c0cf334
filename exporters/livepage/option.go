package livepage

import "errors"

// An Option configures [Mount], [New] and [WriteReport]. Of several of one kind the last one holds.
type Option interface{ apply(*Page) error }

type option func(*Page) error

func (o option) apply(p *Page) error { return o(p) }

// WithRedact shows each id of a job as the function returns it, such as a hash, wherever the page
// or its JSON has one. A filter compares with what the function returns. While a client is
// connected, it is called about once a second for each job that is shown, possibly concurrently,
// and must return at once. The same id must always give the same text. If the function panics,
// calls runtime.Goexit or returns "", the id is shown as "hidden". The texts of errors of scrapes
// and pushes, which may contain ids, are not shown then.
func WithRedact(shown func(id string) string) Option {
	return option(func(p *Page) error {
		if shown == nil {
			return errors.New("livepage: WithRedact(nil) is ignored: ids are shown as they are")
		}
		p.builder.redact = shown
		return nil
	})
}
