package dashboards

// cost is the page of the money.
func cost() dashboard {
	return newDashboard("cost", text{
		"stagemeter / Cost",
		"What is spent on paid APIs, by API and by job, and what budgets refuse.",
	}, pipelineVariables(), pipelineAlerts,
		spending(), perJob(), liveJobs(), calls())
}

func costPerHour() *panel {
	return graph(text{"Cost per hour by API", "Money spent on paid APIs, at the rate of the moment."},
		"currencyUSD", query{perHour("cost", "api"), "{{api}}"}).stacked()
}

// costToday follows the clock, not the dashboard's time range.
func costToday() *panel {
	return stat(text{"Total cost today", "Money spent on paid APIs since midnight, in the dashboard's time zone."},
		"currencyUSD", query{inRange("cost"), "today"}).since("now/d").empty("no paid API known")
}

func spending() row {
	return row{title: "Spending", panels: []*panel{
		costPerHour().size(12, 8),
		costToday().size(4, 8),
		stat(text{"Cost in this time", "Money spent on paid APIs in the time range."},
			"currencyUSD", query{inRange("cost"), "cost"}).empty("no paid API known").size(4, 8),
		stat(text{"Average cost of a job", "Money spent on the jobs that ended in this time, divided by their number."},
			"currencyUSD", query{inRange("cost_per_job:sum") + " / (" + inRange("cost_per_job:count") + " > 0)", "average"}).
			empty("no job ended").size(4, 8),
		graph(text{"Cost per hour by program", "Money spent on paid APIs, at the rate of the moment."},
			"currencyUSD", query{perHour("cost", "job"), "{{job}}"}).stacked().size(12, 8),
		table(text{"Cost by API", "Money spent on paid APIs in this time."},
			"currencyUSD", [][2]string{{"api", "API"}, {"Value", "Cost"}},
			query{"sort_desc(sum by (api) (increase(@cost[$__range])))", ""}).size(12, 8),
	}}
}

func perJob() row {
	return row{title: "Per job", panels: []*panel{
		distribution(text{
			"Cost per job",
			"Money spent on a job that ended, in US dollars: how many jobs, by the upper bound.",
		}, "cost_per_job", "").size(12, 8),
		graph(text{"Cost per job, quantiles", "Money spent on a job that ended, whatever its outcome."},
			"currencyUSD", quantiles("cost_per_job", "")...).size(12, 8),
	}}
}

func liveJobs() row {
	return row{title: "Jobs in progress", panels: []*panel{
		table(text{
			"Cost and budget of the jobs in progress",
			"What each job has spent so far, and what its budget has left; jobs without a budget have none to show.",
		}, "currencyUSD", [][2]string{
			{"job", "Program"}, {"job_id", "Job"}, {"Value #B", "Budget remaining"}, {"Value #A", "Spent"},
		},
			query{"sum by (job, job_id) " + live("job_cost"), ""},
			query{"min by (job, job_id) " + live("budget_remaining"), ""},
		).empty("no job in progress has spent or has a budget").size(16, 10),
		stat(text{"Spent by jobs in progress", "Money spent so far on the jobs that have not ended."},
			"currencyUSD", query{"sum" + live("job_cost"), "spent"}).empty("no job in progress has spent").size(8, 10),
	}}
}

func calls() row {
	return row{title: "Calls and budgets", panels: []*panel{
		graph(text{
			"API calls by outcome, per hour",
			"Paid calls that succeeded, failed, were canceled by their caller, or were refused by a budget.",
		}, "short", query{perHour("api_calls", "api, status"), "{{api}} {{status}}"}).stacked().size(12, 8),
		graph(text{"API error ratio", "Failed calls among those that succeeded or failed; canceled and refused ones count as neither."},
			"percentunit", query{
				`sum by (api) (rate(@api_calls{status="error"}[$__rate_interval])) / ` +
					`(sum by (api) (rate(@api_calls{status=~"success|error"}[$__rate_interval])) > 0)`,
				"{{api}}",
			}).limits("green", limit{0.1, "red"}).size(12, 8),
		graph(text{"API errors by type, per hour", "Paid calls that failed, by class of error. Canceled calls are no errors."},
			"short", query{perHour("api_errors", "api, error_type"), "{{api}} {{error_type}}"}).stacked().empty("no errors").size(12, 8),
		graph(text{"API call duration, P95 by API", "19 of 20 calls took no longer, whatever their outcome."},
			"s", query{quantile(0.95, "api_call_duration", "", "api"), "{{api}}"}).size(12, 8),
		graph(text{"API calls in progress", "Paid calls that have started and not ended. One that never ends stays."},
			"short", query{"sum by (api) (@api_calls_in_progress)", "{{api}}"}).stacked().size(12, 8),
		graph(text{"Unpriced calls, per hour", "Paid calls whose cost is unknown, by reason. Their cost is in no other panel."},
			"short", query{perHour("api_unpriced", "api, reason"), "{{api}} {{reason}}"}).stacked().size(12, 8),
		graph(text{"Budgets exceeded, per hour", "Budgets of jobs, tenants, days and months that were crossed, each counted once."},
			"short", query{perHour("budget_exceeded", "job"), "{{job}}"}).stacked(),
		stat(text{"Budgets exceeded", "Budgets that were crossed in this time."},
			"short", query{inRange("budget_exceeded"), "budgets"}).
			limits("green", limit{0.5, "orange"}, limit{5, "red"}).decimals(0),
		stat(text{"Calls refused", "Calls that a budget refused in this time. They were not sent and cost nothing."},
			"short", query{inRange(`api_calls{status="refused"}`), "calls"}).limits("green", limit{0.5, "orange"}).decimals(0),
		graph(text{"Ledger errors, per hour", "Operations of the ledger that failed. What was given up never reaches it."},
			"short", query{perHour("ledger_errors", "op"), "{{op}}"}).stacked().size(12, 8),
		graph(text{"Ledger, pending", "Costs and reservations that the ledger has not been told of yet."},
			"short", query{"sum by (job) (@ledger_pending)", "{{job}}"}).size(12, 8),
	}}
}
