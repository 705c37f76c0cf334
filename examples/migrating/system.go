package migrating

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

func trackProcess(ctx context.Context, run func() error) error {
	// page: track_ffmpeg_process_start, track_ffmpeg_process_end
	done := instrument.TrackProcess(ctx)
	defer done()
	// end
	return run()
}

func runFFmpeg(ctx context.Context, in, out string) error {
	// page: ffmpeg.Run
	_, err := ffmpeg.Run(ctx, append(ffmpeg.Input(in), "-c:v", "libx264"), ffmpeg.WithOutput(out))
	// end
	return err
}

func observePools(p *instrument.Pipeline, db *sql.DB, client *redis.Client) (unregister func(), err error) {
	// page: update_system_metrics
	unregisterDB, err := p.ObserveDB("main", db)
	unregisterRedis, redisErr := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
		s := client.PoolStats()
		return instrument.PoolStats{
			Used: int64(s.TotalConns) - int64(s.IdleConns), Idle: int64(s.IdleConns), Max: int64(client.Options().PoolSize),
			CountsWaits: true, Waits: int64(s.WaitCount), WaitTime: time.Duration(s.WaitDurationNs),
		}
	})
	// end
	return func() { unregisterDB(); unregisterRedis() }, errors.Join(err, redisErr)
}
