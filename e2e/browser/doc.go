// Package browser tests the live page in Chromium, with the server, the pipelines and the jobs of a
// real program: nothing of them is replaced. It has only tests; the command in pictures takes the
// pictures of the page for the documentation.
//
// It is a module of its own, outside of go.work: what drives the browser is large, and nothing else needs it. The tests
// also run axe-core, which scripts/browser.sh installs into .cache:
//
//	make browser
//
// The screenshot of each state is kept in .cache/screenshots.
package browser
