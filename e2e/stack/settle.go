package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
)

const (
	// settleWithin is longer than a scrape and an evaluation of the rules, 15 s each, on a busy machine.
	settleWithin = 90 * time.Second

	// pushWithin is how long the editor's last spans take to the collector: spanDelay, and the way.
	pushWithin = 3 * time.Second
	spanDelay  = time.Second
)

// settled waits until Prometheus has all that was there when the jobs ended: every target was scraped since, and every
// rule evaluated that is so at least every settleWithin. When that never is so, missing says what is not there. The error is of a program that ended by
// itself, or of the context.
func (f figures) settled(ctx context.Context, ended <-chan error) (missing, err error) {
	since := time.Now().Add(pushWithin)
	deadline := time.After(settleWithin)
	for {
		if missing = f.missing(ctx, since); missing == nil {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-ended:
			return nil, err
		case <-deadline:
			return missing, nil
		case <-time.After(time.Second):
		}
	}
}

// missing tells which figures Prometheus does not have, and what it has not looked at since.
func (f figures) missing(ctx context.Context, since time.Time) error {
	targets, err := f.Targets(ctx)
	if err != nil {
		return err
	}
	rules, err := f.Rules(ctx, nil)
	if err != nil {
		return err
	}
	var all error
	for _, target := range targets.Active {
		if target.LastScrape.Before(since) {
			all = errors.Join(all, fmt.Errorf("%s was not scraped since: %s", target.ScrapeURL, target.LastError))
		}
	}
	for _, group := range rules.Groups {
		if group.Interval > settleWithin.Seconds() {
			continue
		}
		for _, rule := range group.Rules {
			if at, why := evaluated(rule); at.Before(since) {
				all = errors.Join(all, fmt.Errorf("the rules of %s were not evaluated since: %s", group.Name, why))
				break
			}
		}
	}
	for _, figure := range keyFigures {
		found, err := f.ask(ctx, figure.query)
		switch {
		case err != nil:
			all = errors.Join(all, err)
		case len(found) == 0:
			all = errors.Join(all, fmt.Errorf("nothing on %s in Prometheus: %s", figure.title, figure.query))
		}
	}
	return all
}

// evaluated is when a rule was evaluated last, and what went wrong there.
func evaluated(rule any) (at time.Time, lastError string) {
	switch rule := rule.(type) {
	case promapi.AlertingRule:
		return rule.LastEvaluation, rule.LastError
	case promapi.RecordingRule:
		return rule.LastEvaluation, rule.LastError
	default:
		return time.Time{}, fmt.Sprintf("a rule of type %T", rule)
	}
}
