package exporters

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	otelconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/stagemeter/stagemeter/exporters/internal/push"
	"github.com/stagemeter/stagemeter/exporters/internal/report"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// newResource describes this process. OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win over
// detected attributes, and the options win over both. The resource is usable whatever the error
// says: the error is about attributes that the host did not reveal.
//
// It leaves out the command line, the path of the executable and the user, which may hold secrets
// and the names of people.
func newResource(ctx context.Context, c settings.Config) (*resource.Resource, error) {
	res, err := resource.New(ctx,
		resource.WithAttributes(defaultAttributes()...),
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithProcessPID(),
		resource.WithProcessExecutableName(),
		resource.WithProcessRuntimeName(),
		resource.WithProcessRuntimeVersion(),
	)
	fromEnv, _ := resource.New(ctx, resource.WithFromEnv()) // package settings has reported its error
	chosen := resource.NewSchemaless(chosenAttributes(c)...)

	for _, over := range []*resource.Resource{fromEnv, chosen} {
		merged, e := resource.Merge(res, over)
		res, err = merged, errors.Join(err, e)
	}
	return res, err
}

// validResource returns res with valid UTF-8, and an error for each attribute that was not valid:
// OTLP would refuse every batch.
func validResource(res *resource.Resource, c settings.Config) (*resource.Resource, error) {
	var errs []error
	attrs := res.Attributes()
	for i, kv := range attrs {
		isValid := true
		valid := push.ValidAttributes([]attribute.KeyValue{kv}, func(text string) string {
			valid := report.ValidUTF8(text)
			isValid = isValid && valid == text
			return valid
		})[0]
		if !isValid {
			errs = append(errs, fmt.Errorf("exporters: %s: want UTF-8; %s is used", origin(kv, c), keyValue(valid)))
			attrs[i] = valid
		}
	}
	if errs == nil {
		return res, nil
	}
	return resource.NewWithAttributes(res.SchemaURL(), attrs...), errors.Join(errs...)
}

// origin names the option or the variable that set an attribute of the resource, with its value.
func origin(kv attribute.KeyValue, c settings.Config) string {
	const nameVariable, variable = "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"
	fromEnv, _ := resource.New(context.Background(), resource.WithFromEnv())
	isName := kv.Key == otelconv.ServiceNameKey
	switch {
	case isName && c.ServiceName != "":
		return fmt.Sprintf("WithServiceName(%q)", c.ServiceName)
	case kv.Key == otelconv.ServiceVersionKey && c.ServiceVersion != "":
		return fmt.Sprintf("WithServiceVersion(%q)", c.ServiceVersion)
	case slices.ContainsFunc(c.Attributes, func(a attribute.KeyValue) bool { return a.Key == kv.Key }):
		return fmt.Sprintf("WithResourceAttributes(%s)", keyValue(kv))
	case isName && strings.TrimSpace(os.Getenv(nameVariable)) != "":
		return fmt.Sprintf("%s=%q", nameVariable, os.Getenv(nameVariable))
	case fromEnv.Set().HasValue(kv.Key):
		return fmt.Sprintf("%s=%q", variable, os.Getenv(variable))
	default:
		return "the detected attribute " + keyValue(kv)
	}
}

// keyValue returns kv as text, quoted.
func keyValue(kv attribute.KeyValue) string {
	return fmt.Sprintf("%q=%q", string(kv.Key), kv.Value.String())
}

// chosenAttributes returns the attributes of the options. Those of WithServiceName and
// WithServiceVersion come last and win.
func chosenAttributes(c settings.Config) []attribute.KeyValue {
	attrs := slices.Clip(c.Attributes)
	if c.ServiceName != "" {
		attrs = append(attrs, otelconv.ServiceName(c.ServiceName))
	}
	if c.ServiceVersion != "" {
		attrs = append(attrs, otelconv.ServiceVersion(c.ServiceVersion))
	}
	return attrs
}

// defaultAttributes names the service after its executable, as OpenTelemetry's specification says,
// and gives this process an id of its own.
func defaultAttributes() []attribute.KeyValue {
	name := "go"
	if exe, err := os.Executable(); err == nil {
		name = filepath.Base(exe)
	}
	attrs := []attribute.KeyValue{otelconv.ServiceName("unknown_service:" + name)}
	if v := buildVersion(); v != "" {
		attrs = append(attrs, otelconv.ServiceVersion(v))
	}
	if id, err := uuid.NewRandom(); err == nil {
		attrs = append(attrs, otelconv.ServiceInstanceID(id.String()))
	}
	return attrs
}

// buildVersion returns the version of the main module, or "" if the build has none.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}

// serviceName returns the service.name of res.
func serviceName(res *resource.Resource) string {
	v, _ := res.Set().Value("service.name")
	return v.AsString()
}
