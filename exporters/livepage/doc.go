// Package livepage serves a page for people beside the metrics: which jobs run now, what they cost,
// and when they will be done. Nothing of it is fetched from elsewhere.
package livepage
