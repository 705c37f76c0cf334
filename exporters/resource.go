package exporters

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

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

// validResource returns res with valid UTF-8, and an error for each text that was not valid: OTLP
// would refuse every batch.
func validResource(res *resource.Resource) (*resource.Resource, error) {
	var errs []error
	attrs := push.ValidAttributes(res.Attributes(), func(text string) string {
		valid := report.ValidUTF8(text)
		if valid != text {
			errs = append(errs, fmt.Errorf("exporters: resource attributes: %q is not UTF-8; %q is used", text, valid))
		}
		return valid
	})
	if errs == nil {
		return res, nil
	}
	return resource.NewWithAttributes(res.SchemaURL(), attrs...), errors.Join(errs...)
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
