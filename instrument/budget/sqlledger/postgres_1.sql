-- The columns are those of sqlite_1.sql.
CREATE TABLE stagemeter_accounts (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope       text COLLATE "C" NOT NULL, -- SHA-256 of kind and id
	win         bigint NOT NULL,           -- which day or month since 1970; 0 of other kinds
	kind        text   NOT NULL,
	name        text   NOT NULL,           -- the id for people: as text, its beginning
	lim         bigint NOT NULL,
	spent       bigint NOT NULL DEFAULT 0, -- with unconfirmed
	held        bigint NOT NULL DEFAULT 0,
	own         bigint NOT NULL DEFAULT 0,
	unconfirmed bigint NOT NULL DEFAULT 0,
	reached     int    NOT NULL DEFAULT 0, -- a bit for each of 50, 80, 100 and 101 percent
	forgotten   bigint NOT NULL DEFAULT 0, -- how often
	under_way   bigint NOT NULL DEFAULT 0, -- holds
	completed   int    NOT NULL DEFAULT 0, -- 1 after a final close
	keep_until  bigint NOT NULL,           -- without an open or a hold
	UNIQUE (scope, win)
) WITH (fillfactor = 70)
-- next
CREATE INDEX stagemeter_accounts_kept ON stagemeter_accounts (keep_until)
-- next
CREATE TABLE stagemeter_holds (
	hold       text COLLATE "C" NOT NULL, -- SHA-256 of the first scope and the id
	place      int     NOT NULL,          -- of the account among those of the hold, from 0
	account    bigint  NOT NULL,
	name       text    NOT NULL,          -- the id for people
	job        text    NOT NULL,
	attempt    bigint  NOT NULL,
	api        text    NOT NULL,
	state      int     NOT NULL,          -- 1 under way, 2 expired, 3 settled, 4 released
	own        boolean NOT NULL,          -- whether the job is the account's own
	amount     bigint  NOT NULL,
	floor      bigint  NOT NULL,          -- what an expired hold books; 0 for amount
	cost       bigint  NOT NULL DEFAULT 0, -- that was booked
	unconfirmed bigint NOT NULL DEFAULT 0, -- of cost
	forgotten  bigint  NOT NULL DEFAULT 0, -- of the account, when the cost was booked
	expires    bigint  NOT NULL,          -- or the largest number
	keep_until bigint  NOT NULL,          -- after its end
	PRIMARY KEY (hold, place)
) WITH (fillfactor = 80)
-- next
CREATE INDEX stagemeter_holds_due ON stagemeter_holds (account, expires) WHERE state = 1
-- next
CREATE INDEX stagemeter_holds_kept ON stagemeter_holds (keep_until) WHERE state <> 1
-- next
CREATE TABLE stagemeter_opens (
	token      text COLLATE "C" NOT NULL,
	account    bigint NOT NULL,
	place      int    NOT NULL,
	keep_until bigint NOT NULL,
	PRIMARY KEY (token, account)
)
-- next
CREATE INDEX stagemeter_opens_account ON stagemeter_opens (account)
-- next
CREATE INDEX stagemeter_opens_kept ON stagemeter_opens (keep_until)
-- next
CREATE TABLE stagemeter_crossings (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	hold    text COLLATE "C" NOT NULL,    -- of the operation that was told
	op      text   NOT NULL,
	first   text COLLATE "C" NOT NULL,    -- scope of the account that was asked
	scope   text   NOT NULL,
	kind    text   NOT NULL,
	name    text   NOT NULL,
	lim     bigint NOT NULL,
	percent int    NOT NULL,
	spent   bigint NOT NULL,
	at      bigint NOT NULL
)
-- next
CREATE INDEX stagemeter_crossings_hold ON stagemeter_crossings (hold)
-- next
CREATE INDEX stagemeter_crossings_first ON stagemeter_crossings (first)
-- next
CREATE INDEX stagemeter_crossings_at ON stagemeter_crossings (at)
-- next
-- The sum of amounts that are not negative, or the largest number.
CREATE FUNCTION stagemeter_sum(a numeric, b numeric) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT CAST(LEAST(a + b, 9223372036854775807) AS bigint) $$
-- next
-- The least amount that reaches a percentage of a limit, or the largest number.
CREATE FUNCTION stagemeter_least(percent int, lim bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN lim = 9223372036854775807 THEN lim
		WHEN percent = 101 THEN stagemeter_sum(lim, 1)
		ELSE GREATEST(1, lim / 100 * percent + (lim % 100 * percent + 99) / 100)
	END
$$
-- next
-- The thresholds of a set that are reached at a limit.
CREATE FUNCTION stagemeter_reached(spent bigint, lim bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $$
	SELECT CAST(COALESCE(SUM(CASE WHEN spent >= at AND at < 9223372036854775807 THEN bit ELSE 0 END), 0) AS int)
	FROM (SELECT bit, stagemeter_least(percent, lim) AS at FROM (VALUES (1, 50), (2, 80), (4, 100), (8, 101)) AS t (bit, percent)) AS thresholds
$$
-- next
-- The number of the day or month since 1970.
CREATE FUNCTION stagemeter_window(kind text, now bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT CASE kind
		WHEN 'day' THEN now / 86400000000000
		WHEN 'month' THEN CAST(EXTRACT(YEAR FROM at) * 12 + EXTRACT(MONTH FROM at) AS bigint) - 1970 * 12 - 1
		ELSE 0
	END
	FROM (SELECT to_timestamp(now / 1000000000) AT TIME ZONE 'UTC' AS at) AS utc
$$
-- next
-- Runs one request. Each statement of a volatile function sees what was committed when the statement
-- began, so what is read after the lock of an account is what the last one to hold it has left.
-- Locks are taken in one order: that of the hold, new accounts by their scopes, accounts by their
-- ids. Plans that are made anew for each array would take longer than all the rest.
CREATE FUNCTION stagemeter_ledger_1(r jsonb) RETURNS jsonb LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	most      CONSTANT bigint := 9223372036854775807;
	second    CONSTANT bigint := 1000000000;
	operation CONSTANT text := r->>'op';
	hold_key  CONSTANT text := COALESCE(r->>'hold', '');
	amount_   CONSTANT bigint := COALESCE(CAST(r->>'amount' AS bigint), 0);
	cost_     CONSTANT bigint := COALESCE(CAST(r->>'cost' AS bigint), 0);
	unconfirmed_ CONSTANT bigint := COALESCE(CAST(r->>'unconfirmed' AS bigint), 0);
	lease_    CONSTANT bigint := COALESCE(CAST(r->>'lease' AS bigint), 0);
	now_      bigint;
	idle      bigint;     -- until when an account is kept
	ids       bigint[];   -- current accounts of the scopes
	parts     bigint[];   -- accounts of the hold
	due       text[] := '{}';
	s         record;
	state_    int := 0;   -- of the hold, with what it had reserved and booked; 0 if it is unknown
	amount_of bigint;
	cost_of   bigint;
	unconfirmed_of bigint := 0;
	kept      boolean := false; -- what is confirmed, although a settle is not
	told      text;
	a         stagemeter_accounts;
	code      text := '';
	at_       int := 0;
	was       bigint := 0;
	more      int;
	again     boolean := false;
	holds_    int := 0;
	booked    bigint := 0;
	refused   jsonb := '{}';
	crossed   jsonb;
BEGIN
	IF hold_key <> '' THEN
		PERFORM pg_advisory_xact_lock(hashtextextended(hold_key, 7236459871203));
	END IF;
	SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * second AS bigint) + SUM(shift) INTO now_ FROM stagemeter_schema;
	idle := now_ + 90 * 86400 * second;

	IF operation = 'close' THEN
		-- No other operation waits for an open while it has the lock of an account.
		SELECT o.account, b.kind INTO s FROM stagemeter_opens o JOIN stagemeter_accounts b ON b.id = o.account
			WHERE o.token = r->>'token' AND o.place = 0;
		IF s.kind = 'job' THEN
			PERFORM 1 FROM stagemeter_accounts b WHERE b.id = s.account FOR UPDATE;
		END IF;
		DELETE FROM stagemeter_opens o WHERE o.token = r->>'token';
		IF FOUND AND s.kind = 'job' THEN
			UPDATE stagemeter_accounts b SET completed = GREATEST(b.completed, CASE WHEN CAST(r->>'final' AS boolean) THEN 1 ELSE 0 END),
				keep_until = idle WHERE b.id = s.account;
			UPDATE stagemeter_accounts b SET keep_until = now_ + 86400 * second WHERE b.id = s.account AND b.completed = 1
				AND NOT EXISTS (SELECT 1 FROM stagemeter_opens o WHERE o.account = b.id);
		END IF;
		RETURN '{}';
	ELSIF operation = 'forget' THEN
		UPDATE stagemeter_accounts b SET spent = 0, own = 0, unconfirmed = 0, reached = 0, forgotten = b.forgotten + 1
			WHERE b.scope = r->'scopes'->0->>'key' AND b.win >= stagemeter_window(r->'scopes'->0->>'kind', now_);
		DELETE FROM stagemeter_crossings c WHERE c.first = r->'scopes'->0->>'key';
		RETURN '{}';
	ELSIF operation = 'clean' THEN
		DELETE FROM stagemeter_holds x WHERE x.ctid = ANY (ARRAY(SELECT y.ctid FROM stagemeter_holds y
			WHERE y.state <> 1 AND y.keep_until <= now_ LIMIT 500 FOR UPDATE SKIP LOCKED));
		DELETE FROM stagemeter_crossings x WHERE x.id = ANY (ARRAY(SELECT y.id FROM stagemeter_crossings y
			WHERE y.at <= now_ - 48 * 3600 * second LIMIT 500 FOR UPDATE SKIP LOCKED));
		DELETE FROM stagemeter_opens x WHERE x.ctid = ANY (ARRAY(SELECT y.ctid FROM stagemeter_opens y
			WHERE y.keep_until <= now_ LIMIT 500 FOR UPDATE SKIP LOCKED));
		DELETE FROM stagemeter_accounts x WHERE x.id = ANY (ARRAY(SELECT y.id FROM stagemeter_accounts y
			WHERE y.keep_until <= now_ AND y.under_way = 0
				AND NOT EXISTS (SELECT 1 FROM stagemeter_opens z WHERE z.account = y.id) LIMIT 500 FOR UPDATE SKIP LOCKED));
		RETURN '{}';
	END IF;

	-- The first operation in a window makes its account, with the limit of the one before.
	FOR s IN SELECT x->>'key' AS key, x->>'kind' AS kind, x->>'name' AS name, CAST(x->>'limit' AS bigint) AS lim,
			stagemeter_window(x->>'kind', now_) AS win
			FROM jsonb_array_elements(r->'scopes') AS e (x)
			WHERE operation = 'open' OR x->>'kind' IN ('day', 'month') ORDER BY 1 LOOP
		IF NOT EXISTS (SELECT 1 FROM stagemeter_accounts b WHERE b.scope = s.key AND b.win >= s.win) THEN
			SELECT b.lim INTO was FROM stagemeter_accounts b WHERE b.scope = s.key ORDER BY b.win DESC LIMIT 1;
			IF FOUND OR operation = 'open' THEN
				INSERT INTO stagemeter_accounts (scope, win, kind, name, lim, keep_until)
					VALUES (s.key, s.win, s.kind, s.name, COALESCE(was, s.lim), CASE WHEN s.kind = 'tenant' THEN most ELSE idle END)
					ON CONFLICT (scope, win) DO NOTHING;
			END IF;
		END IF;
	END LOOP;
	was := 0;
	ids := ARRAY(SELECT (SELECT b.id FROM stagemeter_accounts b WHERE b.scope = x->>'key' ORDER BY b.win DESC LIMIT 1)
		FROM jsonb_array_elements(r->'scopes') WITH ORDINALITY AS e (x, n) ORDER BY n);
	IF array_position(ids, NULL) IS NOT NULL THEN
		RETURN jsonb_build_object('code', 'lost', 'at', array_position(ids, NULL) - 1);
	END IF;

	parts := ARRAY(SELECT x.account FROM stagemeter_holds x WHERE x.hold = hold_key ORDER BY x.place);
	IF operation IN ('open', 'look') OR operation = 'reserve' AND cardinality(parts) = 0 THEN
		due := ARRAY(SELECT x.hold FROM stagemeter_holds x WHERE x.account = ANY (ids) AND x.state = 1 AND x.expires <= now_
			ORDER BY x.expires LIMIT 500);
	ELSIF operation = 'reserve' THEN
		due := ARRAY(SELECT x.hold FROM stagemeter_holds x WHERE x.hold = hold_key AND x.state = 1 AND x.expires <= now_);
	END IF;
	PERFORM 1 FROM stagemeter_accounts b
		WHERE b.id = ANY (ids || parts || ARRAY(SELECT x.account FROM stagemeter_holds x WHERE x.hold = ANY (due))) ORDER BY b.id FOR UPDATE;
	IF (SELECT COUNT(*) FROM stagemeter_accounts b WHERE b.id = ANY (ids)) < cardinality(ids) THEN
		RETURN jsonb_build_object('again', true); -- one was deleted before it was locked
	END IF;

	IF operation = 'open' THEN
		FOR s IN SELECT CAST(x->>'limit' AS bigint) AS lim, CAST(n AS int) AS n FROM jsonb_array_elements(r->'scopes') WITH ORDINALITY AS e (x, n) LOOP
			UPDATE stagemeter_accounts b SET lim = s.lim, completed = 0,
				reached = CASE WHEN b.lim = s.lim THEN b.reached ELSE b.reached & stagemeter_reached(b.spent, s.lim) END,
				keep_until = CASE WHEN b.kind = 'tenant' THEN most ELSE idle END
				WHERE b.id = ids[s.n];
			INSERT INTO stagemeter_opens (token, account, place, keep_until) VALUES (r->>'token', ids[s.n], s.n - 1, idle)
				ON CONFLICT DO NOTHING; -- the answer to a first try was lost
		END LOOP;
	END IF;
	IF cardinality(due) > 0 THEN
		WITH e AS (
			UPDATE stagemeter_holds x SET state = 2, cost = CASE x.floor WHEN 0 THEN x.amount ELSE x.floor END,
				unconfirmed = CASE x.floor WHEN 0 THEN x.amount ELSE x.floor END, forgotten = b.forgotten,
				keep_until = now_ + 7 * 86400 * second
			FROM stagemeter_accounts b
			WHERE b.id = x.account AND x.hold = ANY (due) AND x.state = 1 AND x.expires <= now_
			RETURNING x.hold, x.account, x.amount, x.cost, x.own
		), each_account AS (
			SELECT e.account, SUM(e.amount) AS amount, SUM(e.cost) AS cost, COALESCE(SUM(e.cost) FILTER (WHERE e.own), 0) AS own, COUNT(*) AS n
			FROM e GROUP BY e.account
		), written AS (
			UPDATE stagemeter_accounts b SET held = CAST(b.held - x.amount AS bigint), under_way = b.under_way - x.n,
				spent = stagemeter_sum(b.spent, x.cost), own = stagemeter_sum(b.own, x.own),
				unconfirmed = stagemeter_sum(b.unconfirmed, x.cost)
			FROM each_account x WHERE b.id = x.account
		)
		SELECT COUNT(*), stagemeter_sum(COALESCE(SUM(x.cost), 0), 0) INTO holds_, booked
			FROM (SELECT MAX(e.cost) AS cost FROM e GROUP BY e.hold) AS x;
	END IF;

	IF operation IN ('open', 'look') THEN
		SELECT * INTO a FROM stagemeter_accounts b WHERE b.id = ids[1];
		RETURN jsonb_build_object('lim', a.lim, 'spent', a.spent, 'held', a.held, 'own', a.own, 'unconfirmed', a.unconfirmed,
			'holds', holds_, 'booked', booked);
	END IF;

	-- A hold that ended is unknown once all its accounts were forgotten.
	IF cardinality(parts) > 0 THEN
		IF EXISTS (SELECT 1 FROM stagemeter_holds x JOIN stagemeter_accounts b ON b.id = x.account
				WHERE x.hold = hold_key AND (x.state = 1 OR x.forgotten = b.forgotten)) THEN
			SELECT x.state, x.amount, x.cost, x.unconfirmed INTO state_, amount_of, cost_of, unconfirmed_of FROM stagemeter_holds x
				JOIN stagemeter_accounts b ON b.id = x.account WHERE x.hold = hold_key ORDER BY x.place LIMIT 1;
		ELSE
			DELETE FROM stagemeter_holds x WHERE x.hold = hold_key;
			parts := '{}';
			IF operation = 'reserve' THEN
				RETURN jsonb_build_object('again', true); -- as a new hold, which sweeps
			END IF;
		END IF;
	END IF;

	IF operation = 'reserve' AND state_ > 0 THEN
		IF state_ <> 1 THEN
			code := 'ended';
		ELSIF amount_of <> amount_ THEN
			code := 'conflict';
			was := amount_of;
		END IF;
	ELSIF operation = 'reserve' AND (amount_ > 0 OR NOT COALESCE(CAST(r->>'free' AS boolean), false)) THEN
		FOR i IN 1 .. cardinality(ids) LOOP
			SELECT * INTO a FROM stagemeter_accounts b WHERE b.id = ids[i];
			IF a.lim < most AND (CAST(a.spent AS numeric) + a.held >= a.lim OR CAST(a.spent AS numeric) + a.held + amount_ > a.lim) THEN
				code := 'refused';
			ELSIF CAST(a.held AS numeric) + amount_ > most THEN
				code := 'large';
			END IF;
			IF code <> '' THEN
				at_ := i - 1;
				refused := jsonb_build_object('lim', a.lim, 'spent', a.spent, 'held', a.held);
				EXIT;
			END IF;
		END LOOP;
		IF code <> '' AND EXISTS (SELECT 1 FROM stagemeter_holds x WHERE x.account = ANY (ids) AND x.state = 1 AND x.expires <= now_) THEN
			code := '';
			again := true;
		END IF;
	ELSIF operation = 'settle' AND unconfirmed_ > 0 AND unconfirmed_of = 0 AND state_ IN (3, 4) THEN
		kept := true;
	ELSIF operation = 'settle' AND state_ = 3 AND (unconfirmed_ > 0) = (unconfirmed_of > 0) AND (cost_of <> cost_ OR unconfirmed_of <> unconfirmed_) THEN
		code := 'conflict';
		was := cost_of;
	END IF;

	IF state_ = 0 AND code = '' AND NOT again AND operation <> 'release' THEN
		INSERT INTO stagemeter_holds (hold, place, account, name, job, attempt, api, state, own, amount, floor, expires, keep_until)
			SELECT hold_key, n - 1, ids[n], COALESCE(r->>'name', ''), COALESCE(r->>'job', ''), COALESCE(CAST(r->>'attempt' AS bigint), 0),
				COALESCE(r->>'api', ''), CASE operation WHEN 'reserve' THEN 1 ELSE 4 END, CAST(x->>'own' AS boolean), amount_,
				COALESCE(CAST(r->>'floor' AS bigint), 0), CASE WHEN lease_ > 0 THEN stagemeter_sum(now_, lease_) ELSE most END, 0
			FROM jsonb_array_elements(r->'scopes') WITH ORDINALITY AS e (x, n);
		IF operation = 'reserve' THEN
			UPDATE stagemeter_accounts b SET held = b.held + amount_, under_way = b.under_way + 1 WHERE b.id = ANY (ids);
		END IF;
	END IF;
	IF operation = 'settle' AND code = '' AND NOT kept OR operation = 'release' AND (state_ IN (1, 2) OR unconfirmed_of > 0) THEN
		WITH p AS (
			SELECT x.place, x.account, x.own, b.forgotten, x.expires,
				CASE x.state WHEN 1 THEN x.amount ELSE 0 END AS free, CASE x.state WHEN 1 THEN 1 ELSE 0 END AS ended,
				CASE WHEN x.unconfirmed > 0 AND x.forgotten = b.forgotten THEN x.cost ELSE 0 END AS back,
				CASE WHEN x.forgotten = b.forgotten THEN x.unconfirmed ELSE 0 END AS unconfirmed_back
			FROM stagemeter_holds x JOIN stagemeter_accounts b ON b.id = x.account
			WHERE x.hold = hold_key AND (x.state <> 3 OR x.unconfirmed > 0 OR x.forgotten <> b.forgotten)
		), written AS (
			UPDATE stagemeter_accounts b SET held = b.held - p.free, under_way = b.under_way - p.ended,
				spent = stagemeter_sum(GREATEST(b.spent - p.back, 0), cost_),
				own = CASE WHEN p.own THEN stagemeter_sum(GREATEST(b.own - p.back, 0), cost_) ELSE b.own END,
				unconfirmed = stagemeter_sum(GREATEST(b.unconfirmed - p.unconfirmed_back, 0), unconfirmed_)
			FROM p WHERE b.id = p.account
		)
		UPDATE stagemeter_holds x SET state = CASE operation WHEN 'settle' THEN 3 ELSE 4 END, cost = cost_, unconfirmed = unconfirmed_,
			forgotten = p.forgotten, keep_until = CASE WHEN unconfirmed_ > 0 THEN now_ + 7 * 86400 * second
				WHEN p.expires = most THEN now_ + 48 * 3600 * second
				ELSE stagemeter_sum(GREATEST(now_, p.expires), 3600 * second) END
			FROM p WHERE x.hold = hold_key AND x.place = p.place;
	END IF;

	-- Thresholds that are reached and were not told. To confirm a cost is another operation than to book it.
	told := operation || CASE WHEN unconfirmed_ > 0 THEN ' unconfirmed' ELSE '' END;
	FOR a IN SELECT b.* FROM stagemeter_accounts b WHERE b.id = ANY (ids || parts)
			AND (code = 'refused' OR b.lim < most AND b.spent >= b.lim / 2 AND b.reached < 15) ORDER BY array_position(ids || parts, b.id) LOOP
		more := stagemeter_reached(a.spent, a.lim);
		IF code = 'refused' AND a.id = ids[at_ + 1] THEN
			more := more | 8;
		END IF;
		more := more & ~a.reached;
		IF more <> 0 THEN
			UPDATE stagemeter_accounts b SET reached = b.reached | more WHERE b.id = a.id;
			FOR s IN SELECT * FROM (VALUES (1, 50), (2, 80), (4, 100), (8, 101)) AS t (bit, percent) WHERE t.bit & more <> 0 ORDER BY 1 LOOP
				INSERT INTO stagemeter_crossings (hold, op, first, scope, kind, name, lim, percent, spent, at)
					VALUES (hold_key, told, r->'scopes'->0->>'key', a.scope, a.kind, a.name, a.lim, s.percent, a.spent, now_);
			END LOOP;
		END IF;
	END LOOP;
	SELECT jsonb_agg(jsonb_build_object('scope', c.scope, 'kind', c.kind, 'name', c.name, 'lim', c.lim, 'percent', c.percent,
		'spent', c.spent) ORDER BY c.id) INTO crossed FROM stagemeter_crossings c WHERE c.hold = hold_key AND c.op = told;
	SELECT * INTO a FROM stagemeter_accounts b WHERE b.id = ids[1];
	RETURN jsonb_build_object('code', code, 'at', at_, 'was', was, 'lim', a.lim, 'spent', a.spent, 'held', a.held, 'own', a.own,
		'unconfirmed', a.unconfirmed, 'refused', refused, 'holds', holds_, 'booked', booked, 'crossed', crossed, 'again', again);
END $$
