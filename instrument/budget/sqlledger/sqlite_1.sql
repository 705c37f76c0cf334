-- Amounts are nano-dollars. Times are nanoseconds since 1970 UTC.
-- A scope, or a hold, is known by the first 24 bytes of a SHA-256, in base64url.
CREATE TABLE stagemeter_accounts (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	scope       TEXT    NOT NULL,           -- of kind and id
	win         INTEGER NOT NULL,           -- which day or month since 1970; 0 of other kinds
	kind        TEXT    NOT NULL,
	name        TEXT    NOT NULL,           -- the id for people: as text, its beginning
	lim         INTEGER NOT NULL,
	spent       INTEGER NOT NULL DEFAULT 0, -- with unconfirmed
	held        INTEGER NOT NULL DEFAULT 0,
	own         INTEGER NOT NULL DEFAULT 0,
	unconfirmed INTEGER NOT NULL DEFAULT 0,
	reached     INTEGER NOT NULL DEFAULT 0, -- a bit for each of 50, 80, 100 and 101 percent
	forgotten   INTEGER NOT NULL DEFAULT 0, -- how often
	under_way   INTEGER NOT NULL DEFAULT 0, -- holds
	completed   INTEGER NOT NULL DEFAULT 0, -- 1 after a final close
	keep_until  INTEGER NOT NULL,           -- without an open or a hold
	UNIQUE (scope, win)
)
-- next
CREATE INDEX stagemeter_accounts_kept ON stagemeter_accounts (keep_until)
-- next
CREATE TABLE stagemeter_holds (
	hold       TEXT    NOT NULL,            -- of the first scope and the id
	place      INTEGER NOT NULL,            -- of the account among those of the hold, from 0
	account    INTEGER NOT NULL,
	name       TEXT    NOT NULL,            -- the id for people
	job        TEXT    NOT NULL,
	attempt    INTEGER NOT NULL,
	api        TEXT    NOT NULL,
	state      INTEGER NOT NULL,            -- 1 under way, 2 expired, 3 settled, 4 released
	own        INTEGER NOT NULL,            -- 1 if the job is the account's own
	amount     INTEGER NOT NULL,
	floor      INTEGER NOT NULL,            -- what an expired hold books; 0 for amount
	cost       INTEGER NOT NULL DEFAULT 0,  -- that was booked
	unconfirmed INTEGER NOT NULL DEFAULT 0, -- of cost
	forgotten  INTEGER NOT NULL DEFAULT 0,  -- of the account, when the cost was booked
	expires    INTEGER NOT NULL,            -- or the largest number
	keep_until INTEGER NOT NULL,            -- after its end
	PRIMARY KEY (hold, place)
) WITHOUT ROWID
-- next
CREATE INDEX stagemeter_holds_due ON stagemeter_holds (account, expires) WHERE state = 1
-- next
CREATE INDEX stagemeter_holds_kept ON stagemeter_holds (keep_until) WHERE state <> 1
-- next
CREATE TABLE stagemeter_opens (
	token      TEXT    NOT NULL,
	account    INTEGER NOT NULL,
	place      INTEGER NOT NULL,
	keep_until INTEGER NOT NULL,
	PRIMARY KEY (token, account)
) WITHOUT ROWID
-- next
CREATE INDEX stagemeter_opens_account ON stagemeter_opens (account)
-- next
CREATE INDEX stagemeter_opens_kept ON stagemeter_opens (keep_until)
-- next
CREATE TABLE stagemeter_crossings (
	hold       TEXT    NOT NULL,            -- of the operation that was told
	op         TEXT    NOT NULL,
	first      TEXT    NOT NULL,            -- scope of the account that was asked
	scope      TEXT    NOT NULL,
	kind       TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	lim        INTEGER NOT NULL,
	percent    INTEGER NOT NULL,
	spent      INTEGER NOT NULL,
	at         INTEGER NOT NULL
)
-- next
CREATE INDEX stagemeter_crossings_hold ON stagemeter_crossings (hold)
-- next
CREATE INDEX stagemeter_crossings_first ON stagemeter_crossings (first)
-- next
CREATE INDEX stagemeter_crossings_at ON stagemeter_crossings (at)
