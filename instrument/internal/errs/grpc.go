package errs

import "reflect"

// grpcTypes has the error_type of each status code of gRPC, as google.golang.org/grpc/codes numbers
// them.
var grpcTypes = [...]string{
	1:  Canceled,
	2:  "grpc_unknown",
	3:  "grpc_invalid_argument",
	4:  "timeout", // DeadlineExceeded
	5:  "grpc_not_found",
	6:  "grpc_already_exists",
	7:  "grpc_permission_denied",
	8:  "grpc_resource_exhausted",
	9:  "grpc_failed_precondition",
	10: "grpc_aborted",
	11: "grpc_out_of_range",
	12: "grpc_unimplemented",
	13: "grpc_internal",
	14: "grpc_unavailable",
	15: "grpc_data_loss",
	16: "grpc_unauthenticated",
}

// grpcType passes over a Canceled that is joined with a failure, as canceledType does.
func grpcType(err error) string {
	for e := range chain(err) {
		if code, ok := grpcCode(e); ok {
			if t := grpcWord(code); t != Canceled || onlyCanceled(err) {
				return t
			}
		}
	}
	return ""
}

// grpcWord returns the error_type of a code; a number that gRPC does not know is Unknown, as it is
// for gRPC.
func grpcWord(code uint32) string {
	if int(code) < len(grpcTypes) {
		return grpcTypes[code]
	}
	return grpcTypes[2]
}

// GRPCCode returns the status code of a failed gRPC call, of the first error on the chain of err
// that has one, and whether there is one. OK (0) is none. A code is what these methods return:
//
//	GRPCStatus().Code()                 google.golang.org/grpc/status and all that follow it
//	Status().Code(), Code()             Temporal; etcd and connect: of a type whose numbers are gRPC's
//
// They are found by reflection, so that gRPC is not imported. GRPCCode returns false if one of them
// panics.
func GRPCCode(err error) (code uint32, ok bool) {
	if Plain(err) {
		return 0, false
	}
	code = Apart(0, func() uint32 {
		if !endless(err) {
			for e := range chain(err) {
				if code, ok := grpcCode(e); ok {
					return code
				}
			}
		}
		return 0
	})
	return code, code != 0
}

func grpcCode(err error) (code uint32, ok bool) {
	v := reflect.ValueOf(err)
	if v.NumMethod() < 2 { // Error alone, as most have at the end of the chain
		return 0, false
	}
	code = Guarded(0, func() uint32 {
		if status, ok := result(v.MethodByName("GRPCStatus")); ok {
			return codeOf(status, false)
		}
		if status, ok := result(v.MethodByName("Status")); ok {
			if code := codeOf(status, true); code != 0 {
				return code
			}
		}
		return codeOf(v, true)
	})
	return code, code != 0
}

// codeOf returns what v.Code() returns, or 0 if there is no such method or if typed asks for a type
// whose numbers are known to be gRPC's.
func codeOf(v reflect.Value, typed bool) uint32 {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return 0
	}
	m := v.MethodByName("Code")
	if !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 {
		return 0
	}
	t := m.Type().Out(0)
	if t.Kind() != reflect.Uint32 || typed && t.PkgPath() != "google.golang.org/grpc/codes" && t.PkgPath() != "connectrpc.com/connect" {
		return 0
	}
	return uint32(m.Call(nil)[0].Uint())
}

// result calls a method that takes nothing and returns one value that has methods.
func result(m reflect.Value) (v reflect.Value, ok bool) {
	if !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 || m.Type().Out(0).NumMethod() == 0 {
		return v, false
	}
	return m.Call(nil)[0], true
}
