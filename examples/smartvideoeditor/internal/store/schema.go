package store

// Plain SQL that SQLite and PostgreSQL understand alike. Money is whole nano-dollars and durations are whole nanoseconds,
// so that both come back exactly as they were stored. Times are UTC.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS jobs (
		id         TEXT PRIMARY KEY,
		input      TEXT NOT NULL,
		status     TEXT NOT NULL,
		output     TEXT NOT NULL DEFAULT '',
		error_type TEXT NOT NULL DEFAULT '',
		error      TEXT NOT NULL DEFAULT '',
		cost_nano  BIGINT NOT NULL DEFAULT 0,
		begun_at   TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
		changed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
	)`,
	`CREATE TABLE IF NOT EXISTS stages (
		job_id  TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
		place   INTEGER NOT NULL,
		name    TEXT NOT NULL,
		took_ns BIGINT NOT NULL,
		result  TEXT NOT NULL,
		PRIMARY KEY (job_id, name)
	)`,
	`CREATE TABLE IF NOT EXISTS usual (
		id    INTEGER PRIMARY KEY,
		times TEXT NOT NULL
	)`,
}

const (
	selectJob    = `SELECT status, output, cost_nano FROM jobs WHERE id = $1`
	selectStages = `SELECT name, took_ns, result FROM stages WHERE job_id = $1 ORDER BY place, name`

	beginJob = `INSERT INTO jobs (id, input, status) VALUES ($1, $2, 'processing')
		ON CONFLICT (id) DO UPDATE SET status = 'processing', input = excluded.input, output = '',
			error_type = '', error = '', changed_at = CURRENT_TIMESTAMP`
	selectCost = `SELECT cost_nano FROM jobs WHERE id = $1`
	saveCost   = `UPDATE jobs SET cost_nano = $2, changed_at = CURRENT_TIMESTAMP WHERE id = $1`
	finishJob  = `UPDATE jobs SET status = $2, output = $3, error_type = $4, error = $5,
		changed_at = CURRENT_TIMESTAMP WHERE id = $1`

	saveStage = `INSERT INTO stages (job_id, place, name, took_ns, result)
		VALUES ($1, (SELECT COUNT(*) FROM stages WHERE job_id = $1), $2, $3, $4)
		ON CONFLICT (job_id, name) DO UPDATE SET place = excluded.place, took_ns = excluded.took_ns, result = excluded.result`

	selectUsual = `SELECT times FROM usual WHERE id = 1`
	saveUsual   = `INSERT INTO usual (id, times) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET times = excluded.times`
)
