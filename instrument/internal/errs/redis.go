package errs

import "reflect"

// redisTexts are the errors of go-redis and redigo that are texts: their packages are not imported,
// and their types say nothing.
var redisTexts = map[string]string{
	"redis: nil":                        "redis_nil", // a string type of go-redis
	"redigo: nil returned":              "redis_nil",
	"redis: connection pool timeout":    "redis_pool_timeout",
	"redis: connection pool exhausted":  "redis_pool_exhausted",
	"redigo: connection pool exhausted": "redis_pool_exhausted",
}

// redisType knows an error by its text only if it is one that errors.New has made, or that calls
// itself an error of Redis.
func redisType(err error) string {
	for e := range chain(err) {
		_, ofRedis := e.(interface{ RedisError() })
		if ofRedis || reflect.TypeOf(e) == newError {
			if t := redisTexts[e.Error()]; t != "" {
				return t
			}
		}
	}
	return ""
}
