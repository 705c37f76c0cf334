// Package migrating holds the Go side of docs/migrating-from-python.md. Its tests compile and run it, and compare it
// with the page, so that what the page shows is what works.
package migrating
