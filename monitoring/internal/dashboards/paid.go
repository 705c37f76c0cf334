package dashboards

// paid is the page of the calls of paid APIs, as package aihttp sees them.
func paid() dashboard {
	return newDashboard("paid", text{
		"stagemeter / Paid calls",
		"What programs pay AI and media APIs for: money, tokens, latency, errors, and how much room the providers' limits leave.",
	}, pipelineVariables(), pipelineAlerts,
		paidMoney(), paidTokens(), paidLatency(), paidFailures(), headroom())
}

const noCalls = "no call was metered in this time"

func paidMoney() row {
	return row{title: "Spend", panels: []*panel{
		graph(text{"Cost per hour by provider", "Money spent on paid APIs, at the rate of the moment. A call inside RunCall has that call's name."},
			"currencyUSD", query{perHour("cost", "api"), "{{api}}"}).stacked().size(12, 8),
		graph(text{
			"Cost per hour by provider and model",
			"The same by the model that the request names. Without WithModelLabel there are no names.",
		}, "currencyUSD", query{perHour("cost", "api, model"), "{{api}} {{model}}"}).stacked().size(12, 8),
		table(text{"Cost by provider and model", "Money spent on paid APIs in this time."},
			"currencyUSD", [][2]string{{"api", "Provider"}, {"model", "Model"}, {"Value", "Cost"}},
			query{"sort_desc(sum by (api, model) (increase(@cost[$__range])))", ""}),
		graph(text{"Unpriced calls by reason, per hour", "Paid calls whose cost is unknown. It is in no figure of money."},
			"short", query{perHour("api_unpriced", "api, reason"), "{{api}} {{reason}}"}).stacked(),
		graph(text{
			"Estimate, reserved by settled, P95",
			"What budgets had reserved for calls, by what these cost: 19 of 20 calls had reserved no more. 1 is exact.",
		}, "short", query{quantile(0.95, "api_estimate_ratio", "", "api"), "{{api}}"}).empty("no estimated call in this time"),
	}}
}

func paidTokens() row {
	tokens := "sum by (gen_ai_provider_name, gen_ai_request_model, gen_ai_token_type) (rate(@gen_ai.client.token.usage:sum[$__rate_interval])) * 3600"
	return row{title: "Tokens", panels: []*panel{
		graph(text{"Tokens per hour by provider and model", "Tokens of requests, also those that a cache had, and of answers."},
			"short", query{tokens, "{{gen_ai_provider_name}} {{gen_ai_request_model}} {{gen_ai_token_type}}"}).stacked().size(12, 8).empty(noCalls),
		graph(text{"Tokens of one request, P95", "19 of 20 requests, and answers, had no more tokens."},
			"short", query{
				quantile(0.95, "gen_ai.client.token.usage", "", "gen_ai_request_model", "gen_ai_token_type"),
				"{{gen_ai_request_model}} {{gen_ai_token_type}}",
			}).size(12, 8).empty(noCalls),
	}}
}

func paidLatency() row {
	by := []string{"gen_ai_provider_name", "gen_ai_request_model"}
	const legend = "{{gen_ai_provider_name}} {{gen_ai_request_model}}"
	return row{title: "Latency", panels: []*panel{
		heatmap(text{"Duration of a request", "From sending it to the end of its answer, also of attempts inside RunCall."},
			"s", "gen_ai.client.operation.duration", "").size(12, 8),
		graph(text{"Duration of a request, P95", "19 of 20 requests took no longer, whatever their outcome."},
			"s", query{quantile(0.95, "gen_ai.client.operation.duration", "", by...), legend}).size(12, 8).empty(noCalls),
		graph(text{"Time to the first token, P95", "Of streams: from sending the request to the first byte of the answer."},
			"s", query{quantile(0.95, "gen_ai.client.operation.time_to_first_chunk", "", by...), legend}).size(12, 8).empty("no stream in this time"),
		graph(text{"Time from one event of a stream to the next, P95", "The mean of a stream; 19 of 20 streams had a lower one."},
			"s", query{quantile(0.95, "gen_ai.client.operation.time_per_output_chunk", "", by...), legend}).size(12, 8).empty("no stream in this time"),
	}}
}

func paidFailures() row {
	return row{title: "Failures", panels: []*panel{
		graph(text{"Errors by type, per hour", "Calls that failed. Outside of RunCall each attempt of a client that tries again is a call."},
			"short", query{perHour("api_errors", "api, error_type"), "{{api}} {{error_type}}"}).stacked().empty("no errors"),
		graph(text{"Failed attempts by type, per hour", "Requests that failed, also inside RunCall, where a later attempt may have succeeded."},
			"short", query{
				"sum by (gen_ai_provider_name, error_type) (rate(@gen_ai.client.operation.duration:count{error_type!=\"\"}[$__rate_interval])) * 3600",
				"{{gen_ai_provider_name}} {{error_type}}",
			}).stacked().empty("no errors"),
		graph(text{"Calls refused by a budget, per hour", "They were not sent and cost nothing."},
			"short", query{perHour(`api_calls{status="refused"}`, "api"), "{{api}}"}).stacked(),
	}}
}

func headroom() row {
	return row{title: "Headroom", panels: []*panel{
		graph(text{"Throttled requests, per hour", "Answers that said too many requests: as calls of their own, or as attempts inside RunCall."},
			"short", query{perHour("api_throttled", "api, counted_as"), "{{api}} {{counted_as}}"}).stacked().size(12, 8).empty(noCalls),
		graph(text{"Time asked to wait, seconds per hour", "The sum of what providers said in Retry-After."},
			"s", query{perHour("api_retry_after", "api"), "{{api}}"}).size(12, 8).empty(noCalls),
		graph(text{"Left of the providers' rate limits", "By the newest answer, the least of all processes."},
			"short", query{"min by (api, kind) (@api_ratelimit_remaining)", "{{api}} {{kind}}"}).size(16, 8).empty("no answer has told it"),
		stat(text{"Age of the price table", "Since the day on which the oldest table in use was last checked."},
			"s", query{"time() - min(@price_table_timestamp > 0)", "age"}).
			limits("green", limit{60 * 86400, "orange"}, limit{180 * 86400, "red"}).empty("no metered call yet").size(8, 8),
	}}
}
