// Package sqlledger keeps the budgets of a fleet in SQLite or PostgreSQL, through database/sql. It
// has no driver of its own: the program imports one.
//
//	db, err := sql.Open("pgx", url)
//	…
//	err = sqlledger.Migrate(ctx, db, sqlledger.Postgres)
//	…
//	ledger, err := sqlledger.New(ctx, db, sqlledger.Postgres)
//	…
//	pipeline, err := instrument.New(instrument.WithLedger(ledger))
//
// What a call may cost is in the database before the call is made, and what it did cost after it.
// If the process is killed in between, the hold expires with its lease, and counts as unconfirmed.
package sqlledger
