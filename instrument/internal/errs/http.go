package errs

import (
	"reflect"
	"strconv"
)

func httpType(err error) string {
	for e := range chain(err) {
		if status, ok := httpStatus(e); ok {
			return "http_" + strconv.Itoa(status)
		}
	}
	return ""
}

// httpStatus returns the status of a failed HTTP exchange, and whether err itself, without what it
// wraps, has one. API clients give it as a method (smithy, gRPC gateways) or as an exported field
// (openai-go, anthropic-sdk-go, googleapi), so the field is looked up by name. A field named Code
// may be anything: a reply of SMTP, a close code of a websocket, an exit code. It counts only in an
// error that is one of HTTP.
func httpStatus(err error) (status int, ok bool) {
	switch e := err.(type) {
	case interface{ StatusCode() int }:
		status = e.StatusCode()
	case interface{ HTTPStatusCode() int }:
		status = e.HTTPStatusCode()
	default:
		v := reflect.Indirect(reflect.ValueOf(e))
		if status = intField(v, "StatusCode", "HTTPStatusCode"); status == 0 && ofHTTP(v) {
			status = intField(v, "Code")
		}
	}
	return status, status >= 300 && status <= 599
}

// ofHTTP reports whether a struct with a field Code is an error of HTTP: it holds the header of the
// answer (googleapi), or is the error of Gemini's client, which holds only the body.
func ofHTTP(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	for i := range v.NumField() {
		if t := v.Type().Field(i).Type; t.PkgPath() == "net/http" && t.Name() == "Header" {
			return true
		}
	}
	return v.Type().PkgPath() == "google.golang.org/genai"
}

// intField returns the first of these fields that is a whole number, or 0.
func intField(v reflect.Value, names ...string) int {
	if v.Kind() != reflect.Struct {
		return 0
	}
	for _, name := range names {
		if f, ok := v.Type().FieldByName(name); ok {
			if v, err := v.FieldByIndexErr(f.Index); err == nil && v.CanInt() {
				return int(v.Int())
			}
		}
	}
	return 0
}
