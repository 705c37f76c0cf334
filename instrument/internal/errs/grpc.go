package errs

import "reflect"

// GRPCCode returns the code of the first error of the chain that is a gRPC status and not OK, and
// whether there is one. It finds the status by the method GRPCStatus, without importing gRPC.
func GRPCCode(err error) (code uint32, ok bool) {
	ok = Guarded(false, func() bool {
		if Endless(err) {
			return false
		}
		for e := range Chain(err) {
			if code, ok = grpcCode(e); ok {
				return true
			}
		}
		return false
	})
	return code, ok
}

// grpcCode is GRPCCode for err itself, without what it wraps.
func grpcCode(err error) (code uint32, ok bool) {
	if err == nil {
		return 0, false
	}
	get := reflect.ValueOf(err).MethodByName("GRPCStatus")
	if !get.IsValid() || get.Type().NumIn() != 0 || get.Type().NumOut() != 1 {
		return 0, false
	}
	status := get.Call(nil)[0]
	if k := status.Kind(); (k == reflect.Pointer || k == reflect.Interface) && status.IsNil() {
		return 0, false
	}
	get = status.MethodByName("Code")
	if !get.IsValid() || get.Type().NumIn() != 0 || get.Type().NumOut() != 1 {
		return 0, false
	}
	v := get.Call(nil)[0]
	switch {
	case v.CanUint():
		code = uint32(v.Uint())
	case v.CanInt() && v.Int() >= 0:
		code = uint32(v.Int())
	}
	return code, code != 0
}
