// Package aihttp meters paid AI and media APIs from their HTTP traffic. One line where the HTTP
// client is made counts, times and prices every call, holds its price against the budget of the job
// before it is sent, and refuses it if it does not fit:
//
//	client := &http.Client{Transport: aihttp.NewTransport(nil)}
//	openai.NewClient(option.WithHTTPClient(client))
//
// A [Transport] passes requests and answers byte for byte, and buffers neither. It reads what they
// say of usage while they pass.
//
// A redirect is no call. The request that follows it is, wherever it goes, as one of the provider that
// sent it there.
//
// # Jobs that are polled
//
// Some providers answer at once and work afterwards: AssemblyAI, Google's long-running recognition,
// AWS Transcribe, Rev AI, fal's queue, Replicate, Runway. The request that creates such a job is the
// call. Requests for its state are no calls and cost nothing. What the job costs is booked when a
// request first sees that it is over, and once: a Transport remembers 10,000 jobs that are under way,
// and the last 10,000 that are over. The cost goes to the call that created the job if a budget holds
// its price, and that call then lasts until the job is over; else to a call of RunCall around the
// poll; else to the job of the poll's context, as by [instrument.Spend]. A provider's failure is free
// where the provider says so.
//
// A job that this Transport has not created is booked by the first poll that sees its end, as a call.
// Two processes, or two Transports, that both see the end of one job book it twice: let one of them
// ask. A job whose end nobody has seen is unpriced with the reason "unpolled" after two days, or when
// 10,000 others have followed, at the next job. Where a webhook brings the result, use
// [Transport.Book].
package aihttp
