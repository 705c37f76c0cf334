package exporters

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	otelconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// newResource describes this process: the detected attributes, over them
// OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, over them the options. The
// resource is usable whatever the error says: it is about what the host wouldn't
// tell.
//
// The command line, the path of the executable and the user are left out: they
// hold secrets and people's names.
func newResource(ctx context.Context, c config) (*resource.Resource, error) {
	res, err := resource.New(ctx,
		resource.WithAttributes(defaultAttributes()...),
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithProcessPID(),
		resource.WithProcessExecutableName(),
		resource.WithProcessRuntimeName(),
		resource.WithProcessRuntimeVersion(),
	)
	fromEnv, _ := resource.New(ctx, resource.WithFromEnv()) // its error was told by reader.resource
	chosen := resource.NewSchemaless(c.resourceAttributes()...)

	for _, over := range []*resource.Resource{fromEnv, chosen} {
		merged, e := resource.Merge(res, over)
		res, err = merged, errors.Join(err, e)
	}
	return res, err
}

// validUTF8 mends and tells of what is not UTF-8 in a resource: OTLP would refuse every batch for it.
func validUTF8(res *resource.Resource) (*resource.Resource, error) {
	var errs []error
	attrs := validAttributes(res.Attributes(), func(text string) string {
		valid := mend(text)
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

// resourceAttributes returns the options' attributes, the particular ones last.
func (c config) resourceAttributes() []attribute.KeyValue {
	attrs := c.attributes
	if c.serviceName != "" {
		attrs = append(attrs[:len(attrs):len(attrs)], otelconv.ServiceName(c.serviceName))
	}
	if c.serviceVersion != "" {
		attrs = append(attrs[:len(attrs):len(attrs)], otelconv.ServiceVersion(c.serviceVersion))
	}
	return attrs
}

// defaultAttributes names the service after its executable, as OpenTelemetry's
// specification has it, and tells this process from others of the service.
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

// buildVersion returns the version of the main module, empty if the build has
// none.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}
