package schemas

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"sigs.k8s.io/yaml"
)

// operator is the module that has the CRDs as users install them.
const operator = "github.com/prometheus-operator/prometheus-operator"

// crdFolder is where the CRDs are in the operator's module, which the go command keeps.
func crdFolder() (string, error) {
	out, err := exec.Command("go", "mod", "download", "-json", operator).Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", operator, err)
	}
	var module struct{ Dir string }
	if err := yaml.Unmarshal(out, &module); err != nil {
		return "", err
	}
	return filepath.Join(module.Dir, "example", "prometheus-operator-crd"), nil
}

// validateAgainstCRD checks a manifest as the API server does: by the OpenAPI schema that the kind's CRD has for v1.
func validateAgainstCRD(kind string, manifest []byte) error {
	folder, err := crdFolder()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(folder, "monitoring.coreos.com_"+strings.ToLower(kind)+"s.yaml"))
	if err != nil {
		return err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return err
	}
	for _, version := range crd.Spec.Versions {
		if version.Name != "v1" {
			continue
		}
		var schema apiextensions.CustomResourceValidation
		convert := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation
		if err := convert(version.Schema, &schema, nil); err != nil {
			return err
		}
		validator, _, err := validation.NewSchemaValidator(schema.OpenAPIV3Schema)
		if err != nil {
			return err
		}
		var object map[string]any
		if err := yaml.Unmarshal(manifest, &object); err != nil {
			return err
		}
		return validation.ValidateCustomResource(nil, object, validator).ToAggregate()
	}
	return errors.New("the CRD of " + kind + " has no version v1")
}
