package livepage

import "errors"

// An Option configures [Mount], [New] and [WriteReport]. The last one of a kind holds.
type Option interface{ apply(*Page) error }

type option func(*Page) error

func (o option) apply(p *Page) error { return o(p) }

// WithRedact shows ids of jobs as the function returns them, such as a hash, wherever the page or its
// JSON has one; a filter finds jobs by what it returned. It is called about once a second for each
// job that is shown while somebody looks, possibly concurrently, and must return at once. The same id
// must always give the same text. If it panics or returns "", the id is shown as "hidden". Errors of
// scrapes and pushes, whose texts may have ids in them, are then shown only as being there.
func WithRedact(shown func(id string) string) Option {
	return option(func(p *Page) error {
		if shown == nil {
			return errors.New("livepage: WithRedact(nil) is ignored: ids are shown as they are")
		}
		p.builder.redact = shown
		return nil
	})
}
