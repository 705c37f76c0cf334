// Package settings turns options and environment variables into one checked value, [Settings].
//
// [Config] holds the options as they were given. [Resolve] puts them over the environment, and the
// environment over the defaults. It never fails: its Settings are usable whatever its error says.
//
// It opens no connection and no port. It reads only the files that the variables for OTLP
// certificates name.
package settings
