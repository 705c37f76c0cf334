package sqlledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// postgres runs operations in PostgreSQL, each in one call of a function.
type postgres struct{ db *sql.DB }

func (p postgres) do(ctx context.Context, r request) (got answer, err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return answer{}, err
	}
	var reply []byte
	err = retry(ctx, func(ctx context.Context) error {
		return p.db.QueryRowContext(ctx, "SELECT CAST(stagemeter_ledger_1(CAST($1 AS jsonb)) AS text)", string(text)).Scan(&reply)
	})
	if err != nil {
		return answer{}, unavailable(err)
	}
	if err := json.Unmarshal(reply, &got); err != nil {
		return answer{}, unavailable(fmt.Errorf("the answer of the function: %w", err))
	}
	return got, nil
}
