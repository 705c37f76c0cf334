// Package price tells what a call of a paid AI or media API costs: a [Table] of published prices,
// and the [Usage] of one call.
//
//	table, err := price.FromEnv() // the prices that come with the package, and the user's own
//	usage := price.Usage{Provider: "openai", Model: "gpt-4o"}
//	usage.Add(price.Input, 176)
//	usage.Add(price.Output, 300)
//	cost, err := table.Cost(usage)
//
// Rates are kept exactly as they are published, and a cost is rounded once, to the nano-dollar.
//
// What the table does not know is unknown, never $0 and never the rate of something like it: a
// model that has no row, audio in a row that prices only text, a service tier, a multiplier. Only a
// row that says free is free.
//
// The package needs neither network nor files, and imports no HTTP and no OpenTelemetry.
package price
