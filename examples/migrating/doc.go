// Package migrating holds the Go code of docs/migrating-from-python.md. Its tests run the code and
// compare it with the page, so the page shows only code that works.
package migrating
