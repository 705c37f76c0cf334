// Package aihttp meters paid AI and media APIs from their HTTP traffic. One line where the HTTP
// client is made counts, times and prices every call, holds its price against the budget of the job
// before it is sent, and refuses it if it does not fit:
//
//	client := &http.Client{Transport: aihttp.NewTransport(nil)}
//	openai.NewClient(option.WithHTTPClient(client))
//
// A [Transport] passes requests and answers byte for byte, and buffers neither. It reads what they
// say of usage while they pass.
package aihttp
